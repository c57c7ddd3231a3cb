import { GoFunction, GoInt, GoMap, GoNamed, HostObject, isNilValue } from '../../lang/gotemplate/value.ts'
import { marshalJson } from '../../lang/gotemplate/json.ts'
import { setOwn } from '../../lib/json.ts'

/** What a host object keeps behind it for writers: its fields under their JSON names, in the order Go writes them. */
export interface JsonFields {
  readonly json: readonly (readonly [string, unknown])[]
}

/** A value that JSON cannot hold; `toYaml` and `toJson` then give an empty text. */
export class NoJson extends Error {}

const DEEPEST = 1_000

function fieldsOf(object: HostObject): readonly (readonly [string, unknown])[] {
  const inner = object.inner as JsonFields | undefined // host objects of this folder are made with these
  return inner?.json ?? [...object.fields]
}

/** What a value's own MarshalJSON writes, as data. */
function ownForm(object: HostObject): { readonly form: unknown } | undefined {
  if (!object.type.json || (object.inner as JsonFields | undefined)?.json) return undefined
  const text = marshalJson(object)
  if (typeof text !== 'string') throw new NoJson(text.message)
  return { form: JSON.parse(text) as unknown }
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const asNumber = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

/** Scalars and special values; undefined where the value is a plain list or map. */
function scalarForm(value: object): { readonly form: unknown } | undefined {
  if (value instanceof GoInt) return { form: asNumber(value.value) }
  if (value instanceof GoNamed) return { form: value.value }
  if (value instanceof Uint8Array) return { form: Buffer.from(value).toString('base64') }
  if (value instanceof HostObject) return ownForm(value)
  if (value instanceof GoFunction) throw new NoJson('json: unsupported type: func')
  return isNilValue(value) ? { form: null } : undefined
}

/** A Go value as plain JSON data for writing YAML: whole numbers as numbers or bigints, bytes as base64. */
export function jsonForm(value: unknown, integers: 'numbers' | 'bigints' = 'numbers', depth: number = 0): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new NoJson(`json: unsupported value: ${value}`)
  if (value === undefined) return null
  if (typeof value === 'string') return /[\ud800-\udfff]/.test(value) ? value.replace(LONE_SURROGATE, '\ufffd') : value
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
