import { isObject, setOwn } from '../../lib/json.ts'
import { refuse } from './refusal.ts'
import { scalarText } from './scalar-text.ts'

/** What a field of a configuration may hold, read as Go reads JSON into a struct: names match in any case, null is nothing. */
export type Shape =
  | 'text'
  | 'flag'
  | 'integer'
  | 'any'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly record: Readonly<Record<string, Shape>> }

/** How a value is read. */
export interface Reading {
  /** Refuses fields that the shape does not know. */
  readonly strict: boolean
  /** Takes numbers and booleans for texts, as a YAML reader does that knows the type it reads into. */
  readonly coerce?: boolean
}

const goName = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  if (value === null) return 'null'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function wrong(value: unknown, at: string, type: string): never {
  return refuse(`json: cannot unmarshal ${goName(value)} into Go struct field ${at} of type ${type}`)
}

/** The value in the shape, or a refusal; undefined for null. */
export function readShape(shape: Shape, value: unknown, at: string, reading: Reading): unknown {
  if (value === null || value === undefined) return undefined
  if (shape === 'any') return value
  if (shape === 'text') {
    if (typeof value === 'string') return value
    return reading.coerce && typeof value !== 'object' ? scalarText(value) : wrong(value, at, 'string')
  }
  if (shape === 'flag') return typeof value === 'boolean' ? value : wrong(value, at, 'bool')
  if (shape === 'integer') return Number.isInteger(value) ? value : wrong(value, at, 'int')
  if ('list' in shape) {
    if (!Array.isArray(value)) return wrong(value, at, '[]')
    return value.map((item: unknown) => readShape(shape.list, item, at, reading) ?? emptyOf(shape.list))
  }
  if (!isObject(value)) return wrong(value, at, 'object')
  if ('map' in shape) {
    const map: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(value)) {
      setOwn(map, key, readShape(shape.map, entry, at, reading) ?? emptyOf(shape.map))
    }
    return map
  }
  return readRecord(shape.record, value, at, reading)
}

function emptyOf(shape: Shape): unknown {
  if (shape === 'text') return ''
  if (shape === 'flag') return false
  if (shape === 'integer') return 0
  if (shape === 'any') return null
  return 'list' in shape ? [] : {}
}

const lowerNames = new WeakMap<object, ReadonlyMap<string, string>>()

function namesOf(fields: Readonly<Record<string, Shape>>): ReadonlyMap<string, string> {
  const known = lowerNames.get(fields)
  if (known) return known
  const made = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]))
  lowerNames.set(fields, made)
  return made
}

function readRecord(
  fields: Readonly<Record<string, Shape>>,
  value: Readonly<Record<string, unknown>>,
  at: string,
  reading: Reading,
): unknown {
  const record: Record<string, unknown> = {}
  for (const [key, entry] of Object.entries(value)) {
    const name = Object.hasOwn(fields, key) ? key : namesOf(fields).get(key.toLowerCase())
    const shape = name === undefined ? undefined : fields[name]
    if (name === undefined || shape === undefined) {
      if (reading.strict) refuse(`json: unknown field ${JSON.stringify(key)}`)
      continue
    }
    const read = readShape(shape, entry, `${at}.${name}`, reading)
    if (read !== undefined) record[name] = read
  }
  return record
}
