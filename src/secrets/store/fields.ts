import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { isObject } from '../../lib/json.ts'
import { badRequest, type Fields, type Refusal } from './logical.ts'

/*
 * Fields are read as Vault's framework does: clients send numbers as text, lists as comma-separated text and durations as
 * seconds or with units. What cannot be read is refused with the name of the field; the value may be a secret.
 */

/** A value, or why there is none. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Refusal }

const read = <T>(value: T): Read<T> => ({ ok: true, value })
const unreadable = (name: string, wanted: string): Read<never> =>
  badRequest(`error converting input for field "${name}": expected ${wanted}`)

/** Whether the field was given at all; null counts as not given. */
export const isGiven = (fields: Fields, name: string): boolean => (fields.get(name) ?? undefined) !== undefined

export function textField(fields: Fields, name: string): Read<string | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined || typeof value === 'string') return read(value)
  if (typeof value === 'number' || typeof value === 'boolean') return read(String(value))
  return unreadable(name, 'a string')
}

export function integerField(fields: Fields, name: string): Read<number | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined) return read(value)
  const number = integerOf(value)
  return number === undefined ? unreadable(name, 'an integer') : read(number)
}

/** An integer that was sent as a number, a boolean or text; decimal, hexadecimal and octal as Go reads them. */
export function integerOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  if (value === '') return 0
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : undefined
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False', ''])

export function booleanField(fields: Fields, name: string): Read<boolean | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined || typeof value === 'boolean') return read(value)
  if (typeof value === 'number') return read(value !== 0)
  if (typeof value === 'string' && TRUE.has(value)) return read(true)
  if (typeof value === 'string' && FALSE.has(value)) return read(false)
  return unreadable(name, 'a boolean')
}

/** Whole seconds, from a number of seconds or from text such as `90`, `1h30m` or `7d`. */
export function secondsOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(Math.trunc(value)) ? Math.trunc(value) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (text === '') return 0
  if (/^[+-]?\d+$/.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : undefined
  const days = /^(\d{1,7})d$/.exec(text)
  if (days) return Number(days[1]) * 86_400
  const duration = parseDuration(text)
  return duration.ok ? Math.trunc(millisecondsOf(duration.value) / 1_000) : undefined
}

export function secondsField(fields: Fields, name: string): Read<number | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined) return read(value)
  const seconds = secondsOf(value)
  if (seconds === undefined) return unreadable(name, 'a duration such as 3600 or "1h"')
  return seconds < 0 ? unreadable(name, 'a duration that is not negative') : read(seconds)
}

/** As secondsField, where a negative duration means something. */
export function signedSecondsField(fields: Fields, name: string): Read<number | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined) return read(value)
  const seconds = secondsOf(value)
  return seconds === undefined ? unreadable(name, 'a duration such as 3600 or "1h"') : read(seconds)
}

/** Texts, from a list or from comma-separated text. Empty parts are left out. */
export function listField(fields: Fields, name: string): Read<readonly string[] | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined) return read(value)
  const items: readonly unknown[] =
    typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [value]
  const texts: string[] = []
  for (const item of items) {
    if (typeof item !== 'string' && typeof item !== 'number') return unreadable(name, 'a list of strings')
    const text = String(item).trim()
    if (text !== '') texts.push(text)
  }
  return read(texts)
}

export function objectField(fields: Fields, name: string): Read<Readonly<Record<string, unknown>> | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined || isObject(value)) return read(value)
  return unreadable(name, 'an object')
}

/** Text by text, from an object whose values are scalars. */
export function textMapField(fields: Fields, name: string): Read<ReadonlyMap<string, string> | undefined> {
  const value = fields.get(name) ?? undefined
  if (value === undefined) return read(value)
  if (!isObject(value)) return unreadable(name, 'an object of strings')
  const texts = new Map<string, string>()
  for (const [key, item] of Object.entries(value)) {
    if (item === null) texts.set(key, '')
    else if (typeof item === 'string' || typeof item === 'number') texts.set(key, String(item))
    else if (typeof item === 'boolean') texts.set(key, item ? '1' : '0')
    else return unreadable(name, 'an object of strings')
  }
  return read(texts)
}

/** Reads several fields at once: the values by name, or the first refusal. */
export function readAll<T extends Readonly<Record<string, Read<unknown>>>>(
  reads: T,
): Read<{ readonly [K in keyof T]: T[K] extends Read<infer V> ? V : never }> {
  const values: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(reads)) {
    if (!one.ok) return one
    values[name] = one.value
  }
  // The loop put exactly these values there.
  return read(values as { readonly [K in keyof T]: T[K] extends Read<infer V> ? V : never })
}
