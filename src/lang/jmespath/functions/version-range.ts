import { compareVersions, parseVersion, type Version } from '../../../lib/semver.ts'
import { wrongValue } from '../error.ts'

const STRICT =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/
const LONGEST = 1_000

/** A version of three parts, as blang/semver 4 insists; undefined for anything else. */
function strictVersion(text: string): Version | undefined {
  if (text.length > LONGEST || !STRICT.test(text)) return undefined
  const version = parseVersion(text)
  return version.ok ? version.value : undefined
}

const comparators: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ['', (order: number) => order === 0],
  ['=', (order: number) => order === 0],
  ['==', (order: number) => order === 0],
  ['!', (order: number) => order !== 0],
  ['!=', (order: number) => order !== 0],
  ['>', (order: number) => order > 0],
  ['>=', (order: number) => order >= 0],
  ['<', (order: number) => order < 0],
  ['<=', (order: number) => order <= 0],
])

const wrongRange = (part: string): Error =>
  wrongValue(`semver_compare(): cannot read ${JSON.stringify(part.slice(0, 100))} as a range of versions`)

/** Parts between spaces; a space after `<`, `>` or `=` does not cut, and a part of one character is lost, as upstream. */
function partsOf(range: string): readonly string[] {
  const parts: string[] = []
  let from = 0
  let last = ''
  for (let at = 0; at < range.length; at++) {
    const character = range.charAt(at)
    if (character !== ' ') {
      last = character
    } else if (!'<>='.includes(last) || last === '') {
      if (from < at - 1) parts.push(range.slice(from, at))
      from = at + 1
    }
  }
  if (from < range.length - 1) parts.push(range.slice(from))
  return parts.map((part) => part.replaceAll(' ', ''))
}

function splitPart(part: string): readonly [sign: string, version: string] {
  const digit = part.search(/\p{Nd}/u)
  if (digit < 0) throw wrongRange(part)
  return [part.slice(0, digit).trim(), part.slice(digit)]
}

/** The next version at a place of three; nothing where the part there is no number. */
function incremented(version: string, place: number): string {
  const parts = version.split('.')
  const part = parts[place] ?? ''
  if (!/^\d{1,15}$/.test(part)) return ''
  parts[place] = String(Number(part) + 1)
  return parts.join('.')
}

/** What a version with wildcards becomes: bounds without them (blang/semver 4.0.0, range.go). */
function expanded(part: string): readonly string[] {
  if (!part.includes('x')) return [part]
  const [sign, version] = splitPart(part)
  const places = version.split('.')
  const isWild = places.at(-1) === 'x'
  const flat = version.replace('.x.x', '.x').replace('.x', '.0')
  const lower = flat.split('.').length === 2 ? `${flat}.0` : flat
  const place = isWild && places.length === 3 ? 1 : isWild && places.length === 2 ? 0 : undefined
  const upper = place === undefined ? '' : incremented(lower, place)
  switch (sign) {
    case '>':
      return [`>=${upper}`]
    case '>=':
    case '<':
      return [sign + lower]
    case '<=':
      return [`<${upper}`]
    case '':
    case '=':
    case '==':
      return [`>=${lower}`, `<${upper}`]
    case '!':
    case '!=':
      return [`<${lower}`, `>=${upper}`]
    default:
      return [lower]
  }
}

function holds(part: string, version: Version): boolean {
  const [sign, text] = splitPart(part)
  const comparator = comparators.get(sign)
  const bound = strictVersion(text)
  if (!comparator || !bound) throw wrongRange(part)
  return comparator(compareVersions(version, bound))
}

const ZERO = '0.0.0'

/** Tells whether a version lies in a range; what is no version counts as 0.0.0, as upstream. */
export function isInRange(versionText: string, range: string): boolean {
  if (range.length > LONGEST) throw wrongRange(range)
  const version = strictVersion(versionText) ?? strictVersion(ZERO)
  if (!version) return false
  const alternatives: string[][] = [[]]
  const parts = partsOf(range)
  if (parts[0] === '||' || parts.length === 0 || parts.at(-1) === '||') throw wrongRange(range)
  for (const part of parts) {
    if (part === '||') alternatives.push([])
    else alternatives.at(-1)?.push(part)
  }
  // Every part is read before any decides, so that a wrong range is told whatever the version.
  const verdicts = alternatives.map((all) => all.flatMap(expanded).map((part) => holds(part, version)))
  return verdicts.some((all) => all.every(Boolean))
}
