import { isObject, own } from './json.ts'

/** What an object holds, not yet looked at. */
export type Fields = Readonly<Record<string, unknown>>

const nothing: Fields = {}

/** The object under a key; an empty one where there is none, so that reads can be chained. */
export function fieldsOf(object: unknown, key: string): Fields {
  const value = isObject(object) ? own(object, key) : undefined
  return isObject(value) ? value : nothing
}

/** The text under a key; '' where there is none, as Go reads an absent field. */
export function textOf(object: unknown, key: string): string {
  const value = isObject(object) ? own(object, key) : undefined
  return typeof value === 'string' ? value : ''
}

/** The texts of the list under a key, undefined where the list itself is not there. */
export function textsOf(object: unknown, key: string): readonly string[] | undefined {
  const value = isObject(object) ? own(object, key) : undefined
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined
}

/** The objects of the list under a key, undefined where the list itself is not there. */
export function objectsOf(object: unknown, key: string): readonly Fields[] | undefined {
  const value = isObject(object) ? own(object, key) : undefined
  return Array.isArray(value) ? value.filter(isObject) : undefined
}

/** Whether the flag under a key is set. */
export function isSet(object: unknown, key: string): boolean {
  return isObject(object) && own(object, key) === true
}

/** The texts under a key by their names, as labels are; what is no text is left out. */
export function textMapOf(object: unknown, key: string): ReadonlyMap<string, string> {
  const entries = Object.entries(fieldsOf(object, key))
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** The number under a key; undefined where there is none. */
export function numberOf(object: unknown, key: string): number | undefined {
  const value = isObject(object) ? own(object, key) : undefined
  return typeof value === 'number' ? value : undefined
}
