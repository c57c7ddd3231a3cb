// npm run bench -- [AREA ...] [-o json]
import { cpus } from 'node:os'
import { areas } from './areas.ts'
import type { Figure } from './figure.ts'

const words = process.argv.slice(2)
if (words.includes('--help') || words.includes('-h')) {
  console.log(`usage: npm run bench -- [AREA ...] [-o json]

Prints figures next to a peer's and to the budget. Without an area every one runs: ${areas.map((area) => area.name).join(', ')}.
Example: npm run bench -- cli core`)
  process.exit(0)
}
const json = words.some((word, index) => word === 'json' && words[index - 1] === '-o')
const asked = words.filter((word, index) => word !== '-o' && !(word === 'json' && words[index - 1] === '-o'))
const unknown = asked.filter((name) => !areas.some((area) => area.name === name))
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}: use ${areas.map((area) => area.name).join(', ')}`)
  process.exit(2)
}

const round = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)

function line({ name, value, unit, peers, budget }: Figure): string {
  const beside = Object.entries(peers ?? {}).map(
    ([peer, theirs]) => `${peer} ${round(theirs)} (x${(value / theirs).toPrecision(2)})`,
  )
  const parts = [`${name}: ${round(value)} ${unit}`, ...beside, ...(budget ? [`budget ${budget}`] : [])]
  return `  ${parts.join(' | ')}`
}

const figures: Record<string, Figure[]> = {}
if (!json) console.log(`Node ${process.versions.node}, ${cpus().length} cores`)
for (const area of areas.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
  const list: Figure[] = []
  figures[area.name] = list
  if (!json) console.log(area.name)
  await area.run((figure) => {
    list.push(figure)
    if (!json) console.log(line(figure))
  })
}
if (json) console.log(JSON.stringify({ node: process.versions.node, cores: cpus().length, figures }, undefined, 2))
process.exit(0)
