import { own, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { int64 } from '../../lang/gotemplate/value.ts'

/** A map of values while it is being put together. */
export type Values = Record<string, unknown>

/** The forms of `--set`: typed, all text, JSON, the content of a file, or the text as it stands. */
export type SetForm = 'set' | 'set-string' | 'set-json' | 'set-file' | 'set-literal'

const MAX_INDEX = 65_536
const MAX_NESTING = 30

/** A line that does not follow the grammar; becomes a problem at the only exported function. */
class SetError extends Error {}

/** The line has ended. */
const END: unique symbol = Symbol('end of line')
type Ended = typeof END | undefined

const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

const goKind = (value: unknown): string => {
  if (value === null || value === undefined) return 'nil'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return 'float64'
  if (Array.isArray(value)) return '[]interface {}'
  return isMap(value) ? 'map[string]interface {}' : 'int64'
}

function asMap(value: unknown): Values {
  if (isMap(value)) return value
  throw new SetError(
    `unable to parse key: interface conversion: interface {} is ${goKind(value)}, not map[string]interface {}`,
  )
}

function asList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  throw new SetError(`unable to parse key: interface conversion: interface {} is ${goKind(value)}, not []interface {}`)
}

function setIndex(list: unknown[], index: number, value: unknown): unknown[] {
  if (index < 0) throw new SetError(`negative ${index} index not allowed`)
  if (index > MAX_INDEX) {
    throw new SetError(`index of ${index} is greater than maximum supported index of ${MAX_INDEX}`)
  }
  while (list.length <= index) list.push(null)
  list[index] = value
  return list
}

/** What a text of `--set` stands for: booleans, null, integers that do not begin with a zero, or text. */
export function typedValue(text: string): unknown {
  const lower = text.length <= 5 ? text.toLowerCase() : ''
  if (lower === 'true') return true
  if (lower === 'false') return false
  if (lower === 'null') return null
  if (text === '0') return int64(0)
  if (/^[-+]?\d{1,19}$/.test(text) && !text.startsWith('0')) {
    const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
    if (BigInt.asIntN(64, value) === value) return int64(value)
  }
  return text
}

interface Until {
  readonly text: string
  /** The character that stopped the reading; undefined at the end of the line. */
  readonly stop: string | undefined
}

/** Reads `a.b[0]=value,c={x,y}` into a map, changing it. */
class SetReader {
  private readonly chars: readonly string[]
  private at = 0
  private readonly form: SetForm
  private readonly read: (text: string) => unknown
  constructor(line: string, form: SetForm, read: (text: string) => unknown) {
    this.chars = Array.from(line)
    this.form = form
    this.read = read
  }

  into(values: Values): void {
    while (this.key(values, 0) !== END);
  }

  private until(stops: string): Until {
    let text = ''
    while (this.at < this.chars.length) {
      const char = this.chars[this.at++] ?? ''
      if (stops.includes(char)) return { text, stop: char }
      if (char === '\\' && this.form !== 'set-literal') {
        if (this.at >= this.chars.length) return { text, stop: undefined }
        text += this.chars[this.at++]
      } else {
        text += char
      }
    }
    return { text, stop: undefined }
  }

  private key(data: Values, nesting: number): Ended {
    const { text: key, stop } = this.until(this.form === 'set-literal' ? '=[.' : '=[,.')
    const put = (value: unknown): void => {
      if (key !== '') setOwn(data, key, value)
    }
    switch (stop) {
      case undefined:
        if (key === '') return END
        throw new SetError(`key ${JSON.stringify(key)} has no value`)
      case '[': {
        const index = this.index()
        const known = own(data, key)
        const list = Object.hasOwn(data, key) ? asList(known) : []
        put(this.item(list, index, nesting))
        return undefined
      }
      case '=':
        return this.value(put)
      case ',':
        put('')
        throw new SetError(`key ${JSON.stringify(key)} has no value (cannot end with ,)`)
      default: {
        if (nesting + 1 > MAX_NESTING) {
          throw new SetError(`value name nested level is greater than maximum supported nested level of ${MAX_NESTING}`)
        }
        const inner = Object.hasOwn(data, key) ? asMap(own(data, key)) : {}
        const ended = this.key(inner, nesting + 1)
        const isEmpty = Object.keys(inner).length === 0
        if (ended !== END && isEmpty) throw new SetError(`key map ${JSON.stringify(key)} has no value`)
        if (!isEmpty) put(inner)
        return ended
      }
    }
  }

  /** The value after an equals sign. */
  private value(put: (value: unknown) => void): Ended {
    if (this.form === 'set-json') {
      put(this.jsonValue())
      return undefined
    }
    if (this.form === 'set-literal') {
      put(this.until('').text)
      return undefined
    }
    if (this.at >= this.chars.length) {
      put('')
      return END
    }
    put(this.listOrScalar())
    return undefined
  }

  private listOrScalar(): unknown {
    if (this.chars[this.at] !== '{') return this.read(this.until(',').text)
    this.at++
    const list: unknown[] = []
    for (;;) {
      const { text, stop } = this.until(',}')
      if (stop === undefined) throw new SetError("list must terminate with '}'")
      list.push(this.read(text))
      if (stop === '}') {
        if (this.chars[this.at] === ',') this.at++
        return list
      }
    }
  }

  private jsonValue(): unknown {
    if (this.skipToValue()) return null
    const rest = this.chars.slice(this.at).join('')
    const end = jsonEnd(rest)
    let value: unknown
    try {
      value = JSON.parse(rest.slice(0, end))
    } catch {
      throw new SetError('the value is not JSON')
    }
    this.at += Array.from(rest.slice(0, end)).length
    this.skipToValue()
    return value
  }

  /** Passes blanks and one comma; true when no value came before it. */
  private skipToValue(): boolean {
    for (; this.at < this.chars.length; this.at++) {
      const char = this.chars[this.at] ?? ''
      if (char === ',') {
        this.at++
        return true
      }
      if (!/\s/.test(char)) return false
    }
    return true
  }

  private index(): number {
    const { text, stop } = this.until(']')
    if (stop === undefined) throw new SetError('error parsing index: EOF')
    if (!/^[-+]?\d+$/.test(text)) {
      throw new SetError(`error parsing index: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
    }
    return Number(text)
  }

  private item(list: unknown[], index: number, nesting: number): unknown[] {
    if (index < 0) throw new SetError(`negative ${index} index not allowed`)
    const { text, stop } = this.until('[.=')
    if (text !== '') throw new SetError(`unexpected data at end of array index: ${JSON.stringify(text)}`)
    if (stop === '=') {
      let result = list
      this.value((value) => {
        result = setIndex(list, index, value)
      })
      return result
    }
    if (stop === '[') {
      const next = this.index()
      const known = list[index]
      return setIndex(list, index, this.item(known === null || known === undefined ? [] : asList(known), next, nesting))
    }
    if (stop === '.') {
      const known = list[index]
      const inner = isMap(known) ? known : {}
      // An empty value at the end of the line is dropped, as upstream does.
      if (this.key(inner, nesting) === END) return list
      return setIndex(list, index, inner)
    }
    // The line ends behind the bracket: the list is kept as it was.
    return list
  }
}

/** Where the JSON value at the beginning of a text ends. */
function jsonEnd(text: string): number {
  const blank = /^\s*/.exec(text)?.[0].length ?? 0
  const opener = text.charAt(blank)
  if (!'{["'.includes(opener) || opener === '') {
    return blank + (/^[^\s,\]}:]*/.exec(text.slice(blank))?.[0].length ?? 0)
  }
  let depth = 0
  // Strings are taken whole, so that brackets in them do not count.
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs
  token.lastIndex = blank
  for (let found = token.exec(text); found; found = token.exec(text)) {
    if (found[0] === '{' || found[0] === '[') depth++
    else if (found[0] === '}' || found[0] === ']') depth--
    if (depth === 0) return token.lastIndex
  }
  return text.length
}

/** Reads one argument of a `--set` flag into values, changing them; what is written later wins. */
export function readSet(
  values: Values,
  line: string,
  form: SetForm,
  readFile: (path: string) => Result<string> = () =>
    fail({ code: 'values-invalid', message: 'no files can be read here' }),
): Result<Values> {
  const reader = new SetReader(line, form, (text) => {
    if (form === 'set') return typedValue(text)
    if (form !== 'set-file') return text
    const content = readFile(text)
    if (content.ok) return content.value
    throw new SetError(content.error[0]?.message ?? `cannot read ${text}`)
  })
  try {
    reader.into(values)
    return succeed(values)
  } catch (cause) {
    if (!(cause instanceof SetError)) throw cause
    const message =
      form === 'set-json' ? `failed parsing --set-json data ${line}` : `failed parsing --${form} data: ${cause.message}`
    return fail({ code: 'values-invalid', message })
  }
}
