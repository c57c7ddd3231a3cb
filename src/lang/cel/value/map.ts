import { EvaluationError } from '../error.ts'
import { Boxed } from './boxed.ts'
import { Double } from './double.ts'
import { fromJsonNumber } from './json.ts'
import { Uint } from './uint.ts'

/** What maps are indexed by: equal numbers of different types are one key. */
type Key = string | number | bigint | boolean

/** A map that an expression made, or one with keys that are not strings. Plain JSON objects are maps too. */
export class CelMap extends Boxed {
  readonly kind = 'map' as const
  readonly #values = new Map<Key, unknown>()
  /** The original keys that differ from what they are indexed by. */
  #originals: Map<Key, unknown> | undefined

  get size(): number {
    return this.#values.size
  }

  get(key: unknown): unknown {
    const index = keyIndex(key)
    return index === undefined ? undefined : this.#values.get(index)
  }

  /** Adds an entry; false when the key is there already. Throws for a value that cannot be a key. */
  add(key: unknown, value: unknown): boolean {
    const index = key instanceof Double ? undefined : keyIndex(key)
    if (index === undefined) throw new EvaluationError('unsupported key type')
    if (this.#values.has(index)) return false
    this.#values.set(index, value)
    if (index !== key) (this.#originals ??= new Map()).set(index, key)
    return true
  }

  *keys(): Generator<unknown> {
    for (const index of this.#values.keys()) yield this.#originals?.get(index) ?? index
  }
}

/** A JSON object whose values are read through a schema. */
export abstract class MapView extends Boxed {
  readonly kind = 'map' as const
  abstract readonly size: number
  abstract get(key: string): unknown
  abstract keys(): Iterable<string>
}

function keyIndex(key: unknown): Key | undefined {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return key
    default:
  }
  if (key instanceof Uint) {
    const small = Number(key.value)
    return Number.isSafeInteger(small) ? small : key.value
  }
  if (key instanceof Double && Number.isInteger(key.value)) {
    return Number.isSafeInteger(key.value) ? key.value + 0 : BigInt(key.value)
  }
  return undefined
}

type JsonMap = Readonly<Record<string, unknown>>
export type MapValue = CelMap | MapView | JsonMap

/** The value under a key, or undefined. */
export function mapGet(map: MapValue, key: unknown): unknown {
  if (map instanceof CelMap) return map.get(key)
  if (typeof key !== 'string') return undefined
  if (map instanceof MapView) return map.get(key)
  return jsonField(map, key)
}

/**
 * The value of a JSON object's own field, or undefined. What plain objects inherit are functions and, as `__proto__`, their
 * prototype; so only that one name needs a closer look.
 */
export function jsonField(object: JsonMap, key: string): unknown {
  const value = object[key]
  switch (typeof value) {
    case 'number':
      return fromJsonNumber(value)
    case 'function':
      return undefined
    case 'object':
      return key === '__proto__' && !Object.hasOwn(object, key) ? undefined : value
    default:
      return value
  }
}

export function mapSize(map: MapValue): number {
  if (map instanceof CelMap || map instanceof MapView) return map.size
  return Object.keys(map).length
}

/** The keys in the order they were written. */
export function mapKeys(map: MapValue): Iterable<unknown> {
  if (map instanceof CelMap || map instanceof MapView) return map.keys()
  return Object.keys(map)
}

export function mapHas(map: MapValue, key: unknown): boolean {
  return mapGet(map, key) !== undefined
}

/** A key as text, for messages and for JSON. */
export function keyText(key: unknown): string {
  if (key instanceof Uint || key instanceof Double) return String(key.value)
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(key)
    default:
      return key === null ? 'null' : 'an object'
  }
}
