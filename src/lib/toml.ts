import { own, setOwn } from './json.ts'
import { fail, type Result, succeed } from './result.ts'

type Table = Record<string, unknown>

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** A text that is not TOML; becomes a problem at parseToml. */
class TomlError extends Error {}

const DEEPEST = 200
const BARE = /[A-Za-z0-9_-]/
const DATE = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d)?)?|^\d\d:\d\d:\d\d(?:\.\d+)?/
const NUMBER =
  /^(?:0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*|[-+]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][-+]?\d(?:_?\d)*)?)(?![\w.+-])/
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\u001b',
  '"': '"',
  '\\': '\\',
}

class TomlReader {
  private readonly text: string
  private at = 0
  /** Tables that a header or dotted key has closed to further headers. */
  private readonly closed = new Set<Table>()
  private readonly headed = new Set<Table>()
  constructor(text: string) {
    this.text = text.replaceAll('\r\n', '\n')
  }

  document(): Table {
    const root: Table = {}
    let table = root
    for (this.skip(true); this.at < this.text.length; this.skip(true)) {
      if (this.text[this.at] === '[') table = this.header(root)
      else this.pair(table, 0)
      this.skip(false)
      if (this.at < this.text.length && this.text[this.at] !== '\n') this.fail('expected a line to end')
    }
    return root
  }

  private fail(because: string): never {
    const line = this.text.slice(0, this.at).split('\n').length
    throw new TomlError(`toml: line ${line}: ${because}`)
  }

  private skip(lines: boolean): void {
    for (; this.at < this.text.length; this.at++) {
      const char = this.text[this.at]
      if (char === '#') {
        const end = this.text.indexOf('\n', this.at)
        this.at = (end < 0 ? this.text.length : end) - 1
      } else if (char !== ' ' && char !== '\t' && !(lines && char === '\n')) return
    }
  }

  private expect(token: string): void {
    if (!this.text.startsWith(token, this.at)) this.fail(`expected ${JSON.stringify(token)}`)
    this.at += token.length
  }

  private header(root: Table): Table {
    const isArray = this.text.startsWith('[[', this.at)
    this.expect(isArray ? '[[' : '[')
    const path = this.path()
    this.expect(isArray ? ']]' : ']')
    const last = path.at(-1) ?? ''
    let table = root
    for (const name of path.slice(0, -1)) table = this.below(table, name)
    const known = own(table, last)
    if (isArray) {
      if (known !== undefined && !Array.isArray(known)) this.fail(`key ${JSON.stringify(last)} is already defined`)
      const list: unknown[] = Array.isArray(known) ? known : []
      const made: Table = {}
      list.push(made)
      setOwn(table, last, list)
      return made
    }
    if (known === undefined) {
      const made: Table = {}
      setOwn(table, last, made)
      this.headed.add(made)
      return made
    }
    if (!isTable(known) || this.headed.has(known) || this.closed.has(known)) {
      this.fail(`key ${JSON.stringify(path.join('.'))} is already defined`)
    }
    this.headed.add(known)
    return known
  }

  private below(table: Table, name: string): Table {
    const known = own(table, name)
    const last: unknown = Array.isArray(known) ? known.at(-1) : known
    if (last === undefined) {
      const made: Table = {}
      setOwn(table, name, made)
      return made
    }
    if (!isTable(last) || this.closed.has(last)) this.fail(`key ${JSON.stringify(name)} is no table`)
    return last
  }

  private path(): readonly string[] {
    const path: string[] = []
    do {
      this.skip(false)
      path.push(this.key())
      this.skip(false)
    } while (this.text[this.at] === '.' && ++this.at)
    if (path.length > DEEPEST) this.fail('keys are nested too deeply')
    return path
  }

  private key(): string {
    const char = this.text[this.at]
    if (char === '"' || char === "'") return this.line(char)
    const from = this.at
    while (BARE.test(this.text[this.at] ?? '')) this.at++
    if (this.at === from) this.fail('expected a key')
    return this.text.slice(from, this.at)
  }

  private pair(table: Table, depth: number): void {
    const path = this.path()
    this.expect('=')
    this.skip(false)
    let into = table
    for (const name of path.slice(0, -1)) {
      into = this.below(into, name)
      this.headed.add(into)
    }
    const last = path.at(-1) ?? ''
    if (Object.hasOwn(into, last)) this.fail(`key ${JSON.stringify(path.join('.'))} is already defined`)
    setOwn(into, last, this.value(depth))
  }

  private value(depth: number): unknown {
    if (depth > DEEPEST) this.fail('values are nested too deeply')
    const char = this.text[this.at]
    if (char === '"' || char === "'") return this.textValue(char)
    if (char === '[') return this.array(depth)
    if (char === '{') return this.inline(depth)
    const rest = this.text.slice(this.at, this.at + 100)
    const word = /^(?:true|false|[-+]?(?:inf|nan))\b/.exec(rest)?.[0]
    if (word !== undefined) {
      this.at += word.length
      if (word === 'true' || word === 'false') return word === 'true'
      return word.endsWith('nan')
        ? Number.NaN
        : word.startsWith('-')
          ? Number.NEGATIVE_INFINITY
          : Number.POSITIVE_INFINITY
    }
    const date = DATE.exec(rest)?.[0]
    if (date !== undefined) {
      this.at += date.length
      return date.includes(':') && date.length > 10 ? date.replace(/[t ]/, 'T').replace('z', 'Z') : date
    }
    return this.number(rest)
  }

  private number(rest: string): number | bigint {
    const found = NUMBER.exec(rest)?.[0]
    if (found === undefined) return this.fail('expected a value')
    this.at += found.length
    const plain = found.replaceAll('_', '')
    if (/^[-+]?\d+$/.test(plain) || /^0[xob]/.test(plain)) {
      const value = BigInt(plain.startsWith('+') ? plain.slice(1) : plain)
      if (BigInt.asIntN(64, value) !== value) this.fail(`${found} is out of range for int64`)
      return value
    }
    return Number(plain)
  }

  private array(depth: number): readonly unknown[] {
    this.at++
    const items: unknown[] = []
    for (;;) {
      this.skip(true)
      if (this.text[this.at] === ']') break
      items.push(this.value(depth + 1))
      this.skip(true)
      if (this.text[this.at] !== ',') break
      this.at++
    }
    this.expect(']')
    return items
  }

  private inline(depth: number): Table {
    this.at++
    const table: Table = {}
    this.skip(false)
    while (this.text[this.at] !== '}') {
      this.pair(table, depth + 1)
      this.skip(false)
      if (this.text[this.at] !== ',') break
      this.at++
      this.skip(false)
    }
    this.expect('}')
    this.closed.add(table)
    return table
  }

  private textValue(quote: '"' | "'"): string {
    const triple = quote.repeat(3)
    if (!this.text.startsWith(triple, this.at)) return this.line(quote)
    this.at += 3
    if (this.text[this.at] === '\n') this.at++
    let out = ''
    while (!this.text.startsWith(triple, this.at)) {
      if (this.at >= this.text.length) this.fail('a text is not closed')
      out += this.char(quote === '"', true)
    }
    this.at += 3
    // Up to two quotes may stand directly before the closing ones.
    for (let more = 0; more < 2 && this.text[this.at] === quote; more++, this.at++) out += quote
    return out
  }

  private line(quote: '"' | "'"): string {
    this.at++
    let out = ''
    while (this.text[this.at] !== quote) {
      if (this.at >= this.text.length || this.text[this.at] === '\n') this.fail('a text is not closed')
      out += this.char(quote === '"', false)
    }
    this.at++
    return out
  }

  private char(escapes: boolean, lines: boolean): string {
    const char = this.text[this.at++] ?? ''
    if (!escapes || char !== '\\') return char
    const next = this.text[this.at++] ?? ''
    const short = own(ESCAPES, next)
    if (short !== undefined) return short
    const size = next === 'u' ? 4 : next === 'U' ? 8 : next === 'x' ? 2 : 0
    const hex = this.text.slice(this.at, this.at + size)
    if (size > 0 && hex.length === size && /^[0-9A-Fa-f]+$/.test(hex) && Number.parseInt(hex, 16) <= 0x10ffff) {
      this.at += size
      return String.fromCodePoint(Number.parseInt(hex, 16))
    }
    const blank = lines ? /^[ \t]*\n\s*/.exec(this.text.slice(this.at - 1))?.[0] : undefined
    if (blank === undefined) return this.fail(`invalid escape \\${next}`)
    this.at += blank.length - 1
    return ''
  }
}

/** Reads TOML. Integers are bigints, dates and times are texts. */
export function parseToml(text: string): Result<Record<string, unknown>> {
  try {
    return succeed(new TomlReader(text).document())
  } catch (cause) {
    if (cause instanceof TomlError) return fail({ code: 'toml-invalid', message: cause.message })
    throw cause
  }
}

const QUOTED: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}

// oxlint-disable-next-line no-control-regex -- TOML escapes control characters
const ESCAPED = /["\\\u0000-\u001f\u007f]/g

const quote = (text: string): string =>
  `"${text.replace(ESCAPED, (char) => QUOTED[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`

const keyText = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : quote(key))

class TomlWriter {
  out = ''
  private readonly floats: 'plain' | 'short'
  constructor(floats: 'plain' | 'short') {
    this.floats = floats
  }

  table(path: readonly string[], table: Table): void {
    if (path.length === 1) this.newline()
    if (path.length > 0) this.out += `${indent(path)}[${path.map(keyText).join('.')}]\n`
    this.entries(path, table)
  }

  private newline(): void {
    if (this.out !== '') this.out += '\n'
  }

  private entries(path: readonly string[], table: Table): void {
    if (path.length > DEEPEST) throw new Error('toml: values are nested too deeply')
    for (const key of orderedKeys(table)) {
      const value = table[key]
      if (value === null || value === undefined) continue
      const below = [...path, key]
      if (isTable(value)) this.table(below, value)
      else if (isTableList(value)) {
        for (const item of value) {
          this.newline()
          this.out += `${indent(below)}[[${below.map(keyText).join('.')}]]\n`
          this.entries(below, item)
        }
      } else this.out += `${indent(below)}${keyText(key)} = ${this.value(value, 0)}\n`
    }
  }

  private value(value: unknown, depth: number): string {
    if (depth > DEEPEST) throw new Error('toml: values are nested too deeply')
    if (typeof value === 'string') return quote(value)
    if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
    if (typeof value === 'number') return this.float(value)
    if (Array.isArray(value)) return `[${value.map((item) => this.value(item, depth + 1)).join(', ')}]`
    if (isTable(value)) {
      const parts = orderedKeys(value)
        .filter((key) => value[key] !== null)
        .map((key) => `${keyText(key)} = ${this.value(value[key], depth + 1)}`)
      return `{${parts.join(', ')}}`
    }
    throw new Error('toml: cannot encode array with nil element')
  }

  private float(value: number): string {
    if (Number.isNaN(value)) return 'nan'
    if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
    const text = this.floats === 'plain' ? plainFloat(value) : shortFloat(value)
    return /[.e]/.test(text) ? text : `${text}.0`
  }
}

const indent = (path: readonly string[]): string => '  '.repeat(path.length - 1)

const isTableList = (value: unknown): value is readonly Table[] => {
  if (!Array.isArray(value) || value.length === 0) return false
  if (value.some((item) => item === null || item === undefined)) {
    throw new Error('toml: cannot encode array with nil element')
  }
  return value.every(isTable)
}

/** Scalars and inline lists before what opens a table of its own. */
function orderedKeys(table: Table): readonly string[] {
  const keys = Object.keys(table).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const isSub = (key: string): boolean => isTable(table[key]) || isTableList(table[key])
  return [...keys.filter((key) => !isSub(key)), ...keys.filter(isSub)]
}

function plainFloat(value: number): string {
  const text = String(value)
  const [, sign = '', whole = '', fraction = '', power = ''] = /^(-?)(\d+)(?:\.(\d+))?e([-+]\d+)$/.exec(text) ?? []
  if (power === '') return Object.is(value, -0) ? '-0' : text
  const digits = whole + fraction
  const point = whole.length + Number(power)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length)
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

function shortFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return plainFloat(value)
  const size = Math.abs(exponent)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
}

/**
 * Writes TOML as BurntSushi/toml does: keys by name, tables last, each level indented. Bigints are integers and numbers are
 * floats. Throws on what TOML cannot hold. `plain` floats never have an exponent.
 */
export function emitToml(value: unknown, floats: 'plain' | 'short' = 'plain'): string {
  if (!isTable(value)) throw new Error('toml: top-level values must be Go maps or structs')
  const writer = new TomlWriter(floats)
  writer.table([], value)
  return writer.out
}
