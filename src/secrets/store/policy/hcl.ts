import { fail, type Result, succeed } from '../../../lib/result.ts'

/** A value of HCL (version 1, in which policies are written), without interpolation. */
export type HclValue = string | number | boolean | readonly HclValue[] | HclBody

/** The items of a body, in their order; names may come twice. */
export interface HclBody {
  readonly items: readonly HclItem[]
}

/** `name "label" { ... }` or `name = value`. */
export interface HclItem {
  readonly name: string
  readonly labels: readonly string[]
  readonly value: HclValue
  readonly line: number
}

export const isBody = (value: HclValue): value is HclBody => typeof value === 'object' && 'items' in value

type Mark = '{' | '}' | '[' | ']' | '=' | ',' | ':'

type Word =
  | { readonly is: 'mark'; readonly text: Mark; readonly line: number }
  | { readonly is: 'name' | 'text'; readonly text: string; readonly line: number }
  | { readonly is: 'number'; readonly value: number; readonly line: number }
  | { readonly is: 'end'; readonly line: number }

const DEEPEST = 32
const LONGEST = 1_000_000

/** Reads a document. Objects of JSON are read too: `"name": value` is an item as `name = value` is. */
export function parseHcl(text: string): Result<HclBody> {
  if (text.length > LONGEST) return wrong(1, `the document is longer than ${LONGEST} characters`)
  try {
    const reader = new Reader(text)
    const isJson = reader.peek().is === 'mark'
    const body = isJson ? reader.object(1) : reader.body('end', 0)
    reader.finish()
    return succeed(body)
  } catch (error) {
    if (error instanceof HclError) return wrong(error.line, error.message)
    throw error
  }
}

const wrong = (line: number, what: string): ReturnType<typeof fail> =>
  fail({ code: 'secret-policy-syntax', at: `line ${line}`, message: `cannot read the policy: ${what}` })

class HclError extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

class Reader {
  readonly #text: string
  #at = 0
  #line = 1
  #next: Word | undefined

  constructor(text: string) {
    this.#text = text
  }

  peek(): Word {
    this.#next ??= this.#read()
    return this.#next
  }

  take(): Word {
    const word = this.peek()
    this.#next = undefined
    return word
  }

  finish(): void {
    const word = this.take()
    if (word.is !== 'end') throw new HclError(word.line, `there is more behind the end of the document`)
  }

  /** Items up to the closing brace or the end, which is taken. */
  body(until: 'end' | '}', depth: number): HclBody {
    const items: HclItem[] = []
    for (;;) {
      const word = this.take()
      if (isMark(word, '}') && until === '}') return { items }
      if (word.is === 'end') {
        if (until === 'end') return { items }
        throw new HclError(word.line, 'a brace is not closed')
      }
      // Commas between items are allowed, as in JSON.
      if (isMark(word, ',') && items.length > 0) continue
      if (word.is !== 'name' && word.is !== 'text') throw new HclError(word.line, `a name was expected`)
      items.push(this.#item(word.text, word.line, depth))
    }
  }

  /** `{ ... }`. */
  object(depth: number): HclBody {
    const word = this.take()
    if (!isMark(word, '{')) throw new HclError(word.line, 'an object was expected')
    if (depth > DEEPEST) throw new HclError(word.line, `nested deeper than ${DEEPEST} levels`)
    return this.body('}', depth)
  }

  #item(name: string, line: number, depth: number): HclItem {
    const labels: string[] = []
    for (;;) {
      const word = this.peek()
      if (isMark(word, '{')) return { name, labels, line, value: this.object(depth + 1) }
      if (isMark(word, '=') || isMark(word, ':')) {
        this.take()
        return { name, labels, line, value: this.#value(depth + 1) }
      }
      if (word.is !== 'text' && word.is !== 'name') throw new HclError(word.line, `"${name}" has no value`)
      if (labels.length >= 4) throw new HclError(word.line, `"${name}" has too many labels`)
      this.take()
      labels.push(word.text)
    }
  }

  #value(depth: number): HclValue {
    const word = this.peek()
    if (isMark(word, '{')) return this.object(depth)
    this.take()
    if (isMark(word, '[')) return this.#list(depth)
    if (word.is === 'text') return word.text
    if (word.is === 'number') return word.value
    if (word.is === 'name' && (word.text === 'true' || word.text === 'false')) return word.text === 'true'
    throw new HclError(word.line, 'a value was expected')
  }

  #list(depth: number): readonly HclValue[] {
    if (depth > DEEPEST) throw new HclError(this.#line, `nested deeper than ${DEEPEST} levels`)
    const values: HclValue[] = []
    for (;;) {
      if (isMark(this.peek(), ']')) {
        this.take()
        return values
      }
      values.push(this.#value(depth + 1))
      const word = this.peek()
      if (isMark(word, ',')) this.take()
      else if (!isMark(word, ']')) throw new HclError(word.line, 'a list is not closed')
    }
  }

  #read(): Word {
    this.#skip()
    const line = this.#line
    const char = this.#text[this.#at]
    if (char === undefined) return { is: 'end', line }
    const mark = MARKS[char]
    if (mark) {
      this.#at++
      return { is: 'mark', text: mark, line }
    }
    if (char === '"') return { is: 'text', text: this.#quoted(), line }
    if (this.#text.startsWith('<<', this.#at)) return { is: 'text', text: this.#heredoc(), line }
    const number = this.#match(/-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y)
    if (number !== undefined) return { is: 'number', value: Number(number), line }
    const name = this.#match(/[\p{L}_][\p{L}\p{N}_.-]*/uy)
    if (name !== undefined) return { is: 'name', text: name, line }
    throw new HclError(line, `the character ${JSON.stringify(char)} has no meaning here`)
  }

  /** Over blanks and comments. */
  #skip(): void {
    for (;;) {
      const blank = this.#match(/[\s\ufeff]+|#[^\n]*|\/\/[^\n]*/y)
      if (blank !== undefined) {
        this.#countLines(blank)
        continue
      }
      if (!this.#text.startsWith('/*', this.#at)) return
      const end = this.#text.indexOf('*/', this.#at + 2)
      if (end < 0) throw new HclError(this.#line, 'a comment is not closed')
      this.#countLines(this.#text.slice(this.#at, end))
      this.#at = end + 2
    }
  }

  #countLines(text: string): void {
    for (const char of text) if (char === '\n') this.#line++
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (!found) return undefined
    this.#at += found[0].length
    return found[0]
  }

  #quoted(): string {
    const found = this.#match(/"(?:[^"\\\n]|\\[^\n])*"/y)
    if (found === undefined) throw new HclError(this.#line, 'a string is not closed')
    return found
      .slice(1, -1)
      .replaceAll(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)/gsu, (_, escape) =>
        this.#unescape(String(escape)),
      )
  }

  #unescape(escape: string): string {
    const simple = ESCAPES[escape]
    if (simple !== undefined) return simple
    const digits = /^[uUx]([0-9a-fA-F]+)$/.exec(escape)?.[1]
    const code =
      digits === undefined ? (/^[0-7]{3}$/.test(escape) ? Number.parseInt(escape, 8) : -1) : Number.parseInt(digits, 16)
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      throw new HclError(this.#line, `the escape \\${escape[0] ?? ''} has no meaning`)
    }
    return String.fromCodePoint(code)
  }

  #heredoc(): string {
    const head = this.#match(/<<-?[\p{L}\p{N}_]+\r?\n/uy)
    if (head === undefined) throw new HclError(this.#line, 'a heredoc needs a name and a new line')
    const word = head.replace(/^<<-?/, '').trim()
    const lines: string[] = []
    for (;;) {
      this.#line++
      const end = this.#text.indexOf('\n', this.#at)
      const line = this.#text.slice(this.#at, end < 0 ? undefined : end)
      if (line.trim() === word) {
        this.#at += line.length
        break
      }
      if (end < 0) throw new HclError(this.#line, `the heredoc ${word} is not closed`)
      lines.push(`${line}\n`)
      this.#at = end + 1
    }
    if (!head.startsWith('<<-')) return lines.join('')
    const indent = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)))
    return lines.map((line) => line.slice(Math.min(indent, line.search(/\S|$/)))).join('')
  }
}

const MARKS: Readonly<Record<string, Mark | undefined>> = Object.assign(Object.create(null) as Record<string, Mark>, {
  '{': '{',
  '}': '}',
  '[': '[',
  ']': ']',
  '=': '=',
  ',': ',',
  ':': ':',
})

const ESCAPES: Readonly<Record<string, string | undefined>> = Object.assign(
  Object.create(null) as Record<string, string>,
  { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v', '"': '"', '\\': '\\', '/': '/', "'": "'" },
)

const isMark = (word: Word, text: Mark): boolean => word.is === 'mark' && word.text === text
