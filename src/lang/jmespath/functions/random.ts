import { wrongValue } from '../error.ts'
import type { Run } from '../run.ts'

/** A part of a pattern that texts are drawn from. */
type Part =
  | { readonly kind: 'set'; readonly ranges: readonly Range[]; readonly size: number }
  | { readonly kind: 'all'; readonly parts: readonly Part[] }
  | { readonly kind: 'one'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly least: number; readonly most: number }

type Range = readonly [first: number, last: number]

/** How often `*` and `+` repeat at most, as goregen. */
const MOST_UNBOUNDED = 4_096
const MOST_BOUNDED = 1_000
const DEEPEST = 100
const LONGEST = 10_000
const LAST = 0x10ffff
const NAMED: ReadonlyMap<string, readonly Range[]> = new Map<string, readonly Range[]>([
  [
    'alnum',
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  [
    'alpha',
    [
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  ['ascii', [[0x01, 0x7f]]],
  [
    'blank',
    [
      [0x09, 0x09],
      [0x20, 0x20],
    ],
  ],
  [
    'cntrl',
    [
      [0x01, 0x1f],
      [0x7f, 0x7f],
    ],
  ],
  ['digit', [[0x30, 0x39]]],
  ['graph', [[0x21, 0x7e]]],
  ['lower', [[0x61, 0x7a]]],
  ['print', [[0x20, 0x7e]]],
  [
    'punct',
    [
      [0x21, 0x2f],
      [0x3a, 0x40],
      [0x5b, 0x60],
      [0x7b, 0x7e],
    ],
  ],
  [
    'space',
    [
      [0x09, 0x0d],
      [0x20, 0x20],
    ],
  ],
  ['upper', [[0x41, 0x5a]]],
  [
    'word',
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x5f, 0x5f],
      [0x61, 0x7a],
    ],
  ],
  [
    'xdigit',
    [
      [0x30, 0x39],
      [0x41, 0x46],
      [0x61, 0x66],
    ],
  ],
])
const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['t', 9],
  ['n', 10],
  ['r', 13],
  ['v', 11],
])
const NOTHING: Part = { kind: 'all', parts: [] }

/** Ranges in order, without overlaps. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const made: [number, number][] = []
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = made.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else made.push([first, last])
  }
  return made
}

function inverse(ranges: readonly Range[]): readonly Range[] {
  const made: Range[] = []
  let from = 1
  for (const [first, last] of merged(ranges)) {
    if (first > from) made.push([from, first - 1])
    from = last + 1
  }
  if (from <= LAST) made.push([from, LAST])
  return made
}

function setOf(ranges: readonly Range[]): Part {
  const distinct = merged(ranges)
  return { kind: 'set', ranges: distinct, size: distinct.reduce((size, [first, last]) => size + last - first + 1, 0) }
}

/** Reads the POSIX syntax that goregen is called with: no classes such as `\d`, no flags. */
class Reader {
  private readonly source: readonly string[]
  private at = 0
  private depth = 0

  constructor(source: string) {
    this.source = Array.from(source)
  }

  read(): Part {
    const part = this.alternatives()
    if (this.at < this.source.length) throw this.wrong('a parenthesis was not opened')
    return part
  }

  private wrong(because: string): Error {
    return wrongValue(`random(): ${because} at character ${this.at + 1} of the pattern`)
  }

  private take(character: string): boolean {
    if (this.source[this.at] !== character) return false
    this.at++
    return true
  }

  private alternatives(): Part {
    if (++this.depth > DEEPEST) throw this.wrong('groups nest too deep')
    const parts = [this.sequence()]
    while (this.take('|')) parts.push(this.sequence())
    this.depth--
    const [only] = parts
    return parts.length === 1 && only ? only : { kind: 'one', parts }
  }

  private sequence(): Part {
    const parts: Part[] = []
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      parts.push(this.repeated(this.atom()))
    }
    return { kind: 'all', parts }
  }

  private repeated(part: Part): Part {
    let made = part
    for (let times = 0; ; times++) {
      const bounds = this.bounds()
      if (!bounds) return made
      if (times >= DEEPEST) throw this.wrong('too many repetitions follow each other')
      made = { kind: 'repeat', part: made, least: bounds[0], most: bounds[1] }
    }
  }

  private bounds(): readonly [least: number, most: number] | undefined {
    if (this.take('*')) return [0, MOST_UNBOUNDED]
    if (this.take('+')) return [1, MOST_UNBOUNDED]
    if (this.take('?')) return [0, 1]
    if (this.source[this.at] !== '{') return undefined
    const written = this.source.slice(this.at, this.at + 12).join('')
    const [whole, low = '', comma, high] = /^\{(\d+)(?:(,)(\d*))?\}/.exec(written) ?? []
    if (whole === undefined) return undefined
    this.at += whole.length
    const least = Number(low)
    const most = !comma ? least : high ? Number(high) : least + MOST_UNBOUNDED
    if (least > MOST_BOUNDED || (high && Number(high) > MOST_BOUNDED) || most < least) {
      throw this.wrong('a repetition has wrong bounds')
    }
    return [least, most]
  }

  private atom(): Part {
    const character = this.source[this.at++] ?? ''
    switch (character) {
      case '(': {
        const group = this.alternatives()
        if (!this.take(')')) throw this.wrong('a parenthesis is not closed')
        return group
      }
      case '[':
        return this.brackets()
      case '.':
        // Upstream draws from all of 2^31, which nearly never is a character: printable ones serve instead.
        return setOf([[0x20, 0x7e]])
      case '^':
      case '$':
        return NOTHING
      case '*':
      case '+':
      case '?':
        throw this.wrong('there is nothing to repeat')
      case '\\':
        return this.single(this.escape())
      default:
        return this.single(character.codePointAt(0) ?? 0)
    }
  }

  private single(code: number): Part {
    return { kind: 'set', ranges: [[code, code]], size: 1 }
  }

  private escape(): number {
    const letter = this.source[this.at++]
    if (letter === undefined) throw this.wrong('a backslash ends the pattern')
    const code = ESCAPES.get(letter)
    if (code !== undefined) return code
    if (/^[A-Za-z0-9]$/.test(letter)) throw this.wrong(`\\${letter} is not known: write a class such as [0-9]`)
    return letter.codePointAt(0) ?? 0
  }

  private brackets(): Part {
    const isInverse = this.take('^')
    const ranges: Range[] = []
    for (let isFirst = true; isFirst || this.source[this.at] !== ']'; isFirst = false) {
      if (this.at >= this.source.length) throw this.wrong('a bracket is not closed')
      ranges.push(...(this.named() ?? [this.range()]))
    }
    this.at++
    const part = setOf(isInverse ? inverse(ranges) : ranges)
    if (part.kind === 'set' && part.size === 0) throw this.wrong('a class is empty')
    return part
  }

  private named(): readonly Range[] | undefined {
    const [whole, not = '', name = ''] =
      /^\[:(\^?)([a-z]+):\]/.exec(this.source.slice(this.at, this.at + 12).join('')) ?? []
    if (whole === undefined) return undefined
    const ranges = NAMED.get(name)
    if (!ranges) throw this.wrong('a class has an unknown name')
    this.at += whole.length
    return not ? inverse(ranges) : ranges
  }

  private range(): Range {
    const first = this.classCharacter()
    if (this.source[this.at] !== '-' || this.source[this.at + 1] === ']') return [first, first]
    this.at++
    const last = this.classCharacter()
    if (last < first) throw this.wrong('a range runs backwards')
    return [first, last]
  }

  private classCharacter(): number {
    const character = this.source[this.at++]
    if (character === undefined) throw this.wrong('a bracket is not closed')
    return character === '\\' ? this.escape() : Math.max(character.codePointAt(0) ?? 0, 1)
  }
}

class Draw {
  private readonly run: Run
  private readonly pieces: string[] = []
  private length = 0

  constructor(run: Run) {
    this.run = run
  }

  /** A number from 0 up to, not including, a limit. */
  private upTo(limit: number): number {
    let number = 0
    for (const byte of this.run.ports.ids.bytes(6)) number = number * 256 + byte
    return number % limit
  }

  add(part: Part): void {
    this.run.charge(1)
    switch (part.kind) {
      case 'all':
        for (const below of part.parts) this.add(below)
        return
      case 'one': {
        const chosen = part.parts[this.upTo(part.parts.length)]
        if (chosen) this.add(chosen)
        return
      }
      case 'repeat': {
        const times = part.least + (part.most === part.least ? 0 : this.upTo(part.most - part.least + 1))
        for (let time = 0; time < times; time++) this.add(part.part)
        return
      }
      case 'set':
        this.addCharacter(part.ranges, part.size === 1 ? 0 : this.upTo(part.size))
    }
  }

  private addCharacter(ranges: readonly Range[], place: number): void {
    let left = place
    for (const [first, last] of ranges) {
      if (left <= last - first) {
        const code = first + left
        this.pieces.push(code >= 0xd800 && code <= 0xdfff ? '\ufffd' : String.fromCodePoint(code))
        if (++this.length > this.run.longestText) this.run.chargeText(this.length)
        return
      }
      left -= last - first + 1
    }
  }

  text(): string {
    return this.pieces.join('')
  }
}

/** A text that a pattern matches, drawn by chance. */
export function drawText(pattern: string, run: Run): string {
  if (pattern === '') throw wrongValue('random(): the pattern is empty')
  if (pattern.length > LONGEST) throw wrongValue(`random(): the pattern is longer than ${LONGEST}`)
  const draw = new Draw(run)
  draw.add(new Reader(pattern).read())
  return draw.text()
}
