import { compareStrings } from '../../lib/go-string.ts'
import { GoComplex, GoInt, GoMap, GoNamed, HostObject, isList, isMap, type MapKey } from './value.ts'

/** Go's notion of a true value: not zero, not empty, not nil. */
export function isTrue(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.length > 0
    case 'boolean':
      return value
    case 'number':
      return value !== 0
    case 'object':
      return value !== null && isTrueObject(value)
    default:
      return false
  }
}

function isTrueObject(value: object): boolean {
  if (value instanceof GoInt) return value.value !== 0n
  if (value instanceof GoNamed) return isTrue(value.value)
  if (value instanceof GoComplex) return value.real !== 0 || value.imaginary !== 0
  if (value instanceof HostObject && value.type.kind !== 'map') return true
  return lengthOf(value) !== 0
}

/** The length of a list, map or host map; undefined for everything else. Strings have theirs in bytes elsewhere. */
export function lengthOf(value: unknown): number | undefined {
  if (isList(value)) return value.length
  if (value instanceof GoMap) return value.entries.size
  if (value instanceof HostObject) return value.type.kind === 'map' ? value.fields.size : undefined
  return isMap(value) ? Object.keys(value).length : undefined
}

function compareKeys(a: MapKey, b: MapKey): number {
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** The keys of any map in the order in which Go prints and ranges over them; undefined where the value is no map. */
export function sortedKeys(value: unknown): readonly MapKey[] | undefined {
  if (value instanceof GoMap) return [...value.entries.keys()].toSorted(compareKeys)
  if (value instanceof HostObject) {
    return value.type.kind === 'map' ? [...value.fields.keys()].toSorted(compareStrings) : undefined
  }
  return isMap(value) ? Object.keys(value).sort(compareStrings) : undefined
}

/** The value under a key of any map; undefined where there is none. */
export function entryOf(value: unknown, key: MapKey): unknown {
  if (value instanceof GoMap) return value.entries.get(key)
  if (value instanceof HostObject) return typeof key === 'string' ? value.fields.get(key) : undefined
  return isMap(value) && typeof key === 'string' && Object.hasOwn(value, key) ? value[key] : undefined
}

/** A map key as the Go value that it is. */
export function keyValue(map: unknown, key: MapKey): unknown {
  if (typeof key !== 'bigint') return key
  return map instanceof GoMap && map.type.key ? new GoInt(map.type.key, key) : key
}
