import type { Machine } from '../machine.ts'

const UNCLOSED = -1
const POSITION = -2
const DEEPEST = 200
const MOST_CAPTURES = 32

interface Capture {
  start: number
  /** Length, or one of the marks above. */
  length: number
}

/** What a pattern found: where, and its captures; a capture is a text or a position counted from 1. */
export interface Found {
  readonly start: number
  readonly end: number
  readonly captures: readonly (string | number)[]
}

const classes: Readonly<Record<string, RegExp>> = {
  a: /[A-Za-z]/,
  // oxlint-disable-next-line no-control-regex -- control characters are what is asked for
  c: /[\u0000-\u001f\u007f]/,
  d: /\d/,
  l: /[a-z]/,
  p: /[!-/:-@[-`{-~]/,
  s: /[ \t\n\v\f\r]/,
  u: /[A-Z]/,
  w: /[A-Za-z0-9]/,
  x: /[0-9a-fA-F]/,
  // oxlint-disable-next-line no-control-regex -- the zero byte is what is asked for
  z: /\u0000/,
}

function isInClass(character: string, name: string): boolean {
  const lower = name.toLowerCase()
  const known = Object.hasOwn(classes, lower) ? classes[lower] : undefined
  if (!known) return name === character
  return known.test(character) === (name === lower)
}

/** Matches one pattern of Lua against one text; every step is counted, so that no pattern can run away. */
class Matcher {
  readonly #text: string
  readonly #pattern: string
  readonly #machine: Machine
  #captures: Capture[] = []
  #depth = 0

  constructor(text: string, pattern: string, machine: Machine) {
    this.#text = text
    this.#pattern = pattern
    this.#machine = machine
  }

  at(start: number, patternStart: number): Found | undefined {
    this.#captures = []
    this.#depth = 0
    const end = this.#match(start, patternStart)
    if (end === undefined) return undefined
    const captures = this.#captures.map(({ start: from, length }): string | number => {
      if (length === UNCLOSED) throw this.#machine.error('unfinished capture')
      return length === POSITION ? from + 1 : this.#text.slice(from, from + length)
    })
    return { start, end, captures }
  }

  #match(start: number, patternStart: number): number | undefined {
    if (++this.#depth > DEEPEST) throw this.#machine.error('pattern too complex')
    const end = this.#step(start, patternStart)
    this.#depth--
    return end
  }

  #step(start: number, patternStart: number): number | undefined {
    let at = start
    let from = patternStart
    for (;;) {
      this.#machine.step()
      const special = this.#pattern.charAt(from)
      if (special === '') return at
      if (special === '(') return this.#open(at, from + 1)
      if (special === ')') return this.#close(at, from + 1)
      if (special === '$' && from + 1 === this.#pattern.length) return at === this.#text.length ? at : undefined
      const jump = special === '%' ? this.#jump(at, from + 1) : undefined
      if (jump) {
        if (jump.end === undefined) return undefined
        at = jump.end
        from = jump.next
        continue
      }
      const itemEnd = this.#itemEnd(from)
      switch (this.#pattern.charAt(itemEnd)) {
        case '?': {
          const end = this.#isOne(at, from, itemEnd) ? this.#match(at + 1, itemEnd + 1) : undefined
          if (end !== undefined) return end
          from = itemEnd + 1
          break
        }
        case '+':
          return this.#isOne(at, from, itemEnd) ? this.#most(at + 1, from, itemEnd) : undefined
        case '*':
          return this.#most(at, from, itemEnd)
        case '-':
          return this.#least(at, from, itemEnd)
        default:
          if (!this.#isOne(at, from, itemEnd)) return undefined
          at++
          from = itemEnd
      }
    }
  }

  /** What begins with a percent sign and is no class: where it ends in the text, and where the pattern goes on. */
  #jump(at: number, from: number): { readonly end: number | undefined; readonly next: number } | undefined {
    const letter = this.#pattern.charAt(from)
    if (letter === 'b') return this.#balanced(at, from + 1)
    if (letter === 'f') return this.#frontier(at, from + 1)
    return /\d/.test(letter) ? { end: this.#again(at, Number(letter)), next: from + 1 } : undefined
  }

  #open(at: number, inside: number): number | undefined {
    const isPosition = this.#pattern.charAt(inside) === ')'
    const from = isPosition ? inside + 1 : inside
    const length = isPosition ? POSITION : UNCLOSED
    if (this.#captures.length >= MOST_CAPTURES) throw this.#machine.error('too many captures')
    this.#captures.push({ start: at, length })
    const end = this.#match(at, from)
    if (end === undefined) this.#captures.pop()
    return end
  }

  #close(at: number, from: number): number | undefined {
    const open = this.#captures.findLast(({ length }) => length === UNCLOSED)
    if (!open) throw this.#machine.error('invalid pattern capture')
    open.length = at - open.start
    const end = this.#match(at, from)
    if (end === undefined) open.length = UNCLOSED
    return end
  }

  #again(at: number, number: number): number | undefined {
    const capture = this.#captures[number - 1]
    if (!capture || capture.length === UNCLOSED) throw this.#machine.error('invalid capture index')
    const text = this.#text.slice(capture.start, capture.start + capture.length)
    return this.#text.startsWith(text, at) ? at + text.length : undefined
  }

  #balanced(at: number, from: number): { readonly end: number | undefined; readonly next: number } {
    const [open, close] = [this.#pattern.charAt(from), this.#pattern.charAt(from + 1)]
    if (close === '') throw this.#machine.error('unbalanced pattern')
    const next = from + 2
    if (this.#text.charAt(at) !== open) return { end: undefined, next }
    for (let level = 1, end = at + 1; end < this.#text.length; end++) {
      this.#machine.step()
      const character = this.#text.charAt(end)
      if (character === close) {
        if (--level === 0) return { end: end + 1, next }
      } else if (character === open) level++
    }
    return { end: undefined, next }
  }

  #frontier(at: number, from: number): { readonly end: number | undefined; readonly next: number } {
    if (this.#pattern.charAt(from) !== '[') throw this.#machine.error("missing '[' after '%f' in pattern")
    const next = this.#itemEnd(from)
    const before = at === 0 ? '\0' : this.#text.charAt(at - 1)
    const after = this.#text.charAt(at) || '\0'
    const isHere = !this.#isInSet(before, from, next) && this.#isInSet(after, from, next)
    return { end: isHere ? at : undefined, next }
  }

  #itemEnd(from: number): number {
    const first = this.#pattern.charAt(from)
    if (first === '%') {
      if (from + 1 >= this.#pattern.length) throw this.#machine.error("malformed pattern (ends with '%')")
      return from + 2
    }
    if (first !== '[') return from + 1
    let at = from + 1
    if (this.#pattern.charAt(at) === '^') at++
    do {
      if (at >= this.#pattern.length) throw this.#machine.error("malformed pattern (missing ']')")
      at += this.#pattern.charAt(at) === '%' ? 2 : 1
    } while (this.#pattern.charAt(at) !== ']')
    return at + 1
  }

  #isOne(at: number, from: number, itemEnd: number): boolean {
    const character = this.#text.charAt(at)
    if (at >= this.#text.length) return false
    switch (this.#pattern.charAt(from)) {
      case '.':
        return true
      case '%':
        return isInClass(character, this.#pattern.charAt(from + 1))
      case '[':
        return this.#isInSet(character, from, itemEnd)
      default:
        return this.#pattern.charAt(from) === character
    }
  }

  #isInSet(character: string, from: number, itemEnd: number): boolean {
    let at = from + 1
    const isNegated = this.#pattern.charAt(at) === '^'
    if (isNegated) at++
    const end = itemEnd - 1
    while (at < end) {
      this.#machine.step()
      const first = this.#pattern.charAt(at)
      if (first === '%') {
        if (isInClass(character, this.#pattern.charAt(at + 1))) return !isNegated
        at += 2
      } else if (this.#pattern.charAt(at + 1) === '-' && at + 2 < end) {
        if (first <= character && character <= this.#pattern.charAt(at + 2)) return !isNegated
        at += 3
      } else {
        if (first === character) return !isNegated
        at++
      }
    }
    return isNegated
  }

  #most(at: number, from: number, itemEnd: number): number | undefined {
    let count = 0
    while (this.#isOne(at + count, from, itemEnd)) {
      this.#machine.step()
      count++
    }
    for (; count >= 0; count--) {
      const end = this.#match(at + count, itemEnd + 1)
      if (end !== undefined) return end
    }
    return undefined
  }

  #least(start: number, from: number, itemEnd: number): number | undefined {
    for (let at = start; ; at++) {
      const end = this.#match(at, itemEnd + 1)
      if (end !== undefined) return end
      if (!this.#isOne(at, from, itemEnd)) return undefined
    }
  }
}

/** Finds a pattern from a position on; with `^` in front only there. */
export function findPattern(text: string, pattern: string, from: number, machine: Machine): Found | undefined {
  const matcher = new Matcher(text, pattern, machine)
  if (pattern.startsWith('^')) return matcher.at(from, 1)
  for (let at = from; at <= text.length; at++) {
    const found = matcher.at(at, 0)
    if (found) return found
  }
  return undefined
}
