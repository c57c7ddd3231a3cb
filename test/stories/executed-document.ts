import { readFileSync } from 'node:fs'

/** One block of commands of a document, and what its output has to hold. */
export interface ShellBlock {
  readonly line: number
  readonly script: string
  /** Run again and again until it says so. */
  readonly isRepeated: boolean
  /** The program without which the block is passed over. */
  readonly needs?: string
  /** Lines that must be in the output, with `…` for anything in between; `not: ` begins what must not be. */
  readonly expects: readonly string[]
}

/** The blocks of a Markdown file that are marked as `sh`, each with the `text` block that follows it. */
export function shellBlocks(path: string): readonly ShellBlock[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const blocks: ShellBlock[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, kind] = /^```(sh\b.*|text)$/.exec(lines[at] ?? '') ?? []
    if (kind === undefined) continue
    const end = lines.indexOf('```', at)
    const body = lines.slice(at + 1, end)
    const last = blocks.at(-1)
    if (kind === 'text' && last) blocks[blocks.length - 1] = { ...last, expects: body }
    else if (kind !== 'text') {
      const [, needs] = /needs (\S+)/.exec(kind) ?? []
      const isRepeated = kind.includes('until')
      blocks.push({
        line: at + 1,
        script: body.join('\n'),
        isRepeated,
        expects: [],
        ...(needs === undefined ? {} : { needs }),
      })
    }
    at = end
  }
  return blocks
}

/** What an output lacks of what is expected of it. */
export function missingFrom(output: string, expects: readonly string[]): readonly string[] {
  const flat = output.replaceAll(/[^\S\n]+/g, ' ')
  return expects.filter((line) => {
    const isUnwanted = line.startsWith('not: ')
    const parts = line
      .replace(/^not: /, '')
      .split('…')
      .map((part) => part.trim().replaceAll(/\s+/g, ' '))
    const isThere = flat.split('\n').some((one) => {
      let from = 0
      return parts.every((part) => {
        const found = one.indexOf(part, from)
        from = found + part.length
        return found >= 0
      })
    })
    return isThere === isUnwanted
  })
}
