import { isObject, own } from '../../lib/json.ts'

export type Fields = Readonly<Record<string, unknown>>

const nothing: Fields = {}

/** An object as it is, and nothing in place of anything else: policies are read, not trusted. */
export const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : nothing)

/** A list as it is, and no items in place of anything else. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** A text as it is, and the empty one in place of anything else. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The texts of a list. */
export const textsOf = (value: unknown): readonly string[] =>
  listOf(value).filter((item): item is string => typeof item === 'string')

/** A map from texts to texts; values that are no text are left out. */
export function textMapOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fieldsOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** A value deep in plain data; undefined where the way ends. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  let current = value
  for (const name of names) {
    if (!isObject(current)) return undefined
    current = own(current, name)
  }
  return current
}
