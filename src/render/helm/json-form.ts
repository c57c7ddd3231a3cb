import { GoFunction, GoInt, GoMap, GoNamed, HostObject, isNilValue } from '../../lang/gotemplate/value.ts'
import { compareStrings } from '../../lib/go-string.ts'
import { setOwn } from '../../lib/json.ts'

/** What a host object keeps behind it for writers: its fields under their JSON names, in the order Go writes them. */
export interface JsonFields {
  readonly json: readonly (readonly [string, unknown])[]
}

/** A value that JSON cannot hold; `toYaml` and `toJson` then give an empty text. */
export class NoJson extends Error {}

const DEEPEST = 1_000

const fieldsOf = (object: HostObject): readonly (readonly [string, unknown])[] => {
  const inner = object.inner as JsonFields | undefined // host objects of this folder are made with these
  if (inner?.json) return inner.json
  if (object.type.kind === 'map') return [...object.fields]
  throw new NoJson(`json: unsupported type: ${object.type.name}`)
}

const asNumber = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

/** Scalars and special values; undefined where the value is a plain list or map. */
function scalarForm(value: object): { readonly form: unknown } | undefined {
  if (value instanceof GoInt) return { form: asNumber(value.value) }
  if (value instanceof GoNamed) return { form: value.value }
  if (value instanceof Uint8Array) return { form: Buffer.from(value).toString('base64') }
  if (value instanceof GoFunction) throw new NoJson('json: unsupported type: func')
  return isNilValue(value) ? { form: null } : undefined
}

/** A Go value as plain JSON data for writing YAML: whole numbers as numbers or bigints, bytes as base64. */
export function jsonForm(value: unknown, integers: 'numbers' | 'bigints' = 'numbers', depth: number = 0): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new NoJson(`json: unsupported value: ${value}`)
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) throw new NoJson('json: unsupported value: encountered a cycle')
  const scalar = scalarForm(value)
  if (scalar) return integers === 'bigints' && value instanceof GoInt ? value.value : scalar.form
  if (Array.isArray(value)) return value.map((item) => jsonForm(item, integers, depth + 1))
  const plain: Record<string, unknown> = {}
  for (const [key, item] of entriesOf(value)) setOwn(plain, key, jsonForm(item, integers, depth + 1))
  return plain
}

function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  if (value instanceof HostObject) return fieldsOf(value)
  if (value instanceof GoMap) return [...value.entries].map(([key, item]) => [String(key), item])
  return Object.entries(value)
}

// oxlint-disable-next-line no-control-regex -- JSON escapes control characters
const ESCAPED = /["\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]/
// oxlint-disable-next-line no-control-regex -- as above; pairs of surrogates are one character
const ESCAPES = /["\\<>&\u0000-\u001f\u2028\u2029]|[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function quoteChar(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (code > 0xffff) return char
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
  return SHORT[char] ?? `\\u${code.toString(16).padStart(4, '0')}`
}

/** A text as Go's encoding/json writes it, with what HTML minds escaped. */
function quote(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`
  return `"${text.replace(ESCAPES, quoteChar)}"`
}

/** A Go value as encoding/json writes it: sorted keys of maps, structs in their order. */
export function jsonText(value: unknown, depth: number = 0): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new NoJson(`json: unsupported value: ${value}`)
    return Object.is(value, -0) ? '-0' : String(value)
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean' ? String(value) : 'null'
  if (depth > DEEPEST) throw new NoJson('json: unsupported value: encountered a cycle')
  const scalar = scalarForm(value)
  if (scalar) return typeof scalar.form === 'bigint' ? scalar.form.toString() : jsonText(scalar.form)
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item, depth + 1)).join(',')}]`
  const entries = entriesOf(value)
  const isStruct = value instanceof HostObject && value.type.kind !== 'map'
  const ordered = isStruct ? entries : entries.toSorted(([a], [b]) => compareStrings(a, b))
  return `{${ordered.map(([key, item]) => `${quote(key)}:${jsonText(item, depth + 1)}`).join(',')}}`
}
