import { isObject } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { formatQuantity, parseQuantity } from '../quantity.ts'
import { formatTime, parseTime } from '../time.ts'
import { formatCheck } from './formats.ts'
import { withChanges } from './prune.ts'
import type { Schema } from './schema.ts'
import { DEEPEST, isDeeperThan, perKey, Trail } from './walk.ts'

/** An object of a built-in kind as the API server holds it. */
export interface Decoded<T = unknown> {
  readonly value: T
  /** The fields that the type does not have, such as `spec.foo`, sorted; they are not in the value. */
  readonly unknown: readonly string[]
}

interface Decoding {
  readonly trail: Trail
  readonly unknown: string[]
  /** The Go type whose field is being read, for messages. */
  struct: string
  failure: Problem | undefined
}

type Decoder = (value: unknown, walk: Decoding) => unknown
type Fields = Readonly<Record<string, unknown>>

const MOST_UNKNOWN = 100

/**
 * Reads JSON into a built-in type as Go's decoder does: names are case-sensitive, a value of another JSON type is an error,
 * null is the same as absent, and the outcome is in normal form: empty lists and maps of optional fields are left out,
 * quantities and times are written the canonical way. What needs no change comes back as the same reference.
 */
export function decodeBuiltin<T>(
  value: T,
  schema: Schema,
): { readonly ok: true; readonly value: Decoded<T> } | { readonly ok: false; readonly error: readonly Problem[] } {
  if (isDeeperThan(value, DEEPEST)) {
    return {
      ok: false,
      error: [{ code: 'object-too-deep', message: `the object is nested deeper than ${DEEPEST} levels` }],
    }
  }
  const walk: Decoding = { trail: new Trail(), unknown: [], struct: '', failure: undefined }
  const decoded = decoderOf(schema)(value, walk) as T // a decoder answers the kind of value that it got
  if (walk.failure) return { ok: false, error: [walk.failure] }
  return { ok: true, value: { value: decoded, unknown: walk.unknown.toSorted() } }
}

const decoderOf: (schema: Schema) => Decoder = perKey((schema: Schema) => compile(schema))

function compile(schema: Schema): Decoder {
  if (schema.anyOf) return decodeUnion(schema)
  if (schema.preserveUnknownFields) return (value) => value
  if (schema.intOrString) return decodeIntOrString
  const type: string = schema.type ?? ''
  switch (type) {
    case 'object':
      return schema.properties ? decodeStruct(schema, schema.properties) : decodeMap(schema)
    case 'array':
      return decodeList(schema)
    case 'string':
      return textDecoder(schema)
    case 'integer':
      return decodeInteger(schema)
    case 'number':
      return (value, walk) => (typeof value === 'number' ? value : mismatch(value, 'float64', walk))
    case 'boolean':
      return (value, walk) => (typeof value === 'boolean' ? value : mismatch(value, 'bool', walk))
    default:
      return (value) => value
  }
}

function fail(walk: Decoding, message: string): undefined {
  walk.failure ??= { code: 'object-undecodable', at: walk.trail.toString(), message }
  return undefined
}

function jsonName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function mismatch(value: unknown, goType: string, walk: Decoding, detail: string = ''): undefined {
  const steps = walk.trail.steps.slice(0, walk.trail.depth).filter((step) => typeof step === 'string')
  const target = steps.length > 0 ? `struct field ${walk.struct}.${steps.join('.')}` : 'value'
  return fail(walk, `json: cannot unmarshal ${jsonName(value)}${detail} into Go ${target} of type ${goType}`)
}

/** The name that a Go developer knows a type by. */
function goName(schema: Schema): string {
  if (schema.definition) return schema.definition.split('.').slice(-2).join('.')
  const type: string = schema.type ?? ''
  switch (type) {
    case 'array':
      return `[]${schema.items ? goName(schema.items) : ''}`
    case 'object':
      return `map[string]${isObject(schema.additionalProperties) ? goName(schema.additionalProperties) : ''}`
    case 'integer':
      return schema.format ?? 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    default:
      return schema.format === 'byte' ? '[]uint8' : 'string'
  }
}

const LARGEST_INT32 = 2 ** 31

function decodeInteger(schema: Schema): Decoder {
  const goType = schema.format ?? 'int64'
  const limit = goType === 'int32' ? LARGEST_INT32 : 2 ** 63
  return (value, walk) => {
    if (typeof value !== 'number') return mismatch(value, goType, walk)
    if (Number.isInteger(value) && value >= -limit && value < limit) return value
    return mismatch(value, goType, walk, ` ${value}`)
  }
}

const decodeIntOrString: Decoder = (value, walk) => {
  if (typeof value === 'string') return value
  if (typeof value !== 'number')
    return fail(walk, `json: cannot unmarshal ${jsonName(value)} into Go value of type int32`)
  if (Number.isInteger(value) && value >= -LARGEST_INT32 && value < LARGEST_INT32) return value
  return fail(walk, `json: cannot unmarshal number ${value} into Go value of type int32`)
}

function textDecoder(schema: Schema): Decoder {
  if (schema.format === 'quantity') return decodeQuantity
  if (schema.format === 'byte') return decodeBytes
  if (schema.format === 'date-time') return timeDecoder(schema.definition?.endsWith('.MicroTime') === true)
  return (value, walk) => (typeof value === 'string' ? value : mismatch(value, 'string', walk))
}

/** The same few amounts are written everywhere: their canonical texts are kept. */
const canonicalQuantities = new Map<string, string>()
const MOST_QUANTITIES = 1_000

const decodeQuantity: Decoder = (value, walk) => {
  const known = typeof value === 'string' ? canonicalQuantities.get(value) : undefined
  if (known !== undefined) return known
  const parsed = parseQuantity(typeof value === 'string' || typeof value === 'number' ? String(value) : '?')
  if (!parsed.ok) {
    return fail(walk, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
  }
  const canonical = formatQuantity(parsed.value)
  if (typeof value === 'string') {
    if (canonicalQuantities.size >= MOST_QUANTITIES) canonicalQuantities.clear()
    canonicalQuantities.set(value, canonical)
  }
  return canonical
}

const isBase64 = formatCheck('byte')

const decodeBytes: Decoder = (value, walk) => {
  if (typeof value !== 'string') return mismatch(value, '[]uint8', walk)
  if (isBase64?.(value)) return /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, '') : value
  const wrong = /[^A-Za-z0-9+/\r\n]/.exec(value)
  return fail(walk, `illegal base64 data at input byte ${wrong ? wrong.index : value.length - (value.length % 4)}`)
}

function timeDecoder(isMicro: boolean): Decoder {
  const layout = isMicro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00'
  return (value, walk) => {
    if (typeof value !== 'string') {
      return fail(walk, `json: cannot unmarshal ${jsonName(value)} into Go value of type string`)
    }
    if (value === '') return undefined
    const ms = parseTime(value)
    if (ms === undefined) {
      return fail(walk, `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse it`)
    }
    if (!isMicro) return formatTime(ms)
    const fraction = /\.(\d+)/.exec(value)?.[1] ?? ''
    return `${formatTime(ms).slice(0, -1)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
  }
}

/** Go has no null among the items of a list or a map: it reads the zero of their type. */
function zeroOf(schema: Schema | undefined): unknown {
  const type: string = schema?.type ?? ''
  switch (type) {
    case 'string':
      return schema?.format === 'date-time' ? null : schema?.format === 'quantity' ? '0' : ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'object':
      return {}
    default:
      return null
  }
}

function decodeList(schema: Schema): Decoder {
  const { items } = schema
  const item = items ? decoderOf(items) : undefined
  const goType = goName(schema)
  const zero = zeroOf(items)
  return (value, walk) => {
    if (!Array.isArray(value)) return mismatch(value, goType, walk)
    if (!item) return value
    let copy: unknown[] | undefined
    for (let at = 0; at < value.length; at++) {
      const before: unknown = value[at]
      walk.trail.push(at)
      const after = before === null || before === undefined ? zero : item(before, walk)
      walk.trail.pop()
      if (after !== before) (copy ??= [...(value as readonly unknown[])])[at] = after ?? zero
    }
    return copy ?? value
  }
}

function decodeMap(schema: Schema): Decoder {
  const more = isObject(schema.additionalProperties) ? schema.additionalProperties : undefined
  const below = more ? decoderOf(more) : undefined
  const goType = goName(schema)
  const zero = zeroOf(more)
  return (value, walk) => {
    if (!isObject(value)) return mismatch(value, goType, walk)
    if (!below) return value
    let changes: Map<string, unknown> | undefined
    for (const name in value) {
      const before = value[name]
      walk.trail.push(name)
      const after = before === null || before === undefined ? zero : below(before, walk)
      walk.trail.pop()
      if (after !== before) changes = (changes ?? new Map<string, unknown>()).set(name, after ?? zero)
    }
    return changes ? withChanges(value, changes) : value
  }
}

/** Lists and maps are left out when they are empty, which structs never are. */
const isEmptyCollection = (node: Schema, value: unknown): boolean =>
  node.type === 'array'
    ? Array.isArray(value) && value.length === 0
    : node.type === 'object' && node.properties === undefined && isObject(value) && Object.keys(value).length === 0

function decodeStruct(schema: Schema, properties: ReadonlyMap<string, Schema>): Decoder {
  const goType = goName(schema)
  const struct = goType.slice(goType.lastIndexOf('.') + 1)
  const mandatory = new Set(schema.required)
  const fields = new Map(
    [...properties].map(([name, node]) => [
      name,
      { node, decode: decoderOf(node), dropsEmpty: !mandatory.has(name) && node.preserveUnknownFields !== true },
    ]),
  )
  const field = (name: string, before: unknown, walk: Decoding): unknown => {
    const known = fields.get(name)
    if (!known) {
      if (walk.unknown.length < MOST_UNKNOWN) walk.unknown.push(walk.trail.child(name))
      return undefined
    }
    if (before === null || before === undefined) return undefined
    walk.trail.push(name)
    const after = known.decode(before, walk)
    walk.trail.pop()
    return known.dropsEmpty && isEmptyCollection(known.node, after) ? undefined : after
  }
  return (value, walk) => {
    if (!isObject(value)) return mismatch(value, goType, walk)
    const outer = walk.struct
    walk.struct = struct
    const decoded = decodeFields(value, field, walk)
    walk.struct = outer
    return decoded
  }
}

function decodeFields(
  value: Fields,
  field: (name: string, before: unknown, walk: Decoding) => unknown,
  walk: Decoding,
): Fields {
  let changes: Map<string, unknown> | undefined
  for (const name in value) {
    const before = value[name]
    const after = field(name, before, walk)
    if (after !== before) changes = (changes ?? new Map<string, unknown>()).set(name, after)
  }
  return changes ? withChanges(value, changes) : value
}

/** A schema, or what may stand in its place. */
function decodeUnion(schema: Schema): Decoder {
  const [props] = schema.anyOf ?? []
  const typed = props ? decoderOf(props) : undefined
  if (!typed) return (value) => value
  return (value, walk) => {
    if (isObject(value)) return typed(value, walk)
    if (!Array.isArray(value) || !value.every(isObject)) return value
    let copy: unknown[] | undefined
    for (let at = 0; at < value.length; at++) {
      walk.trail.push(at)
      const after = typed(value[at], walk)
      walk.trail.pop()
      if (after !== value[at]) (copy ??= [...(value as readonly unknown[])])[at] = after
    }
    return copy ?? value
  }
}
