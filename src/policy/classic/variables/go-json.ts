import { isObject } from '../../../lib/json.ts'

/** A value as the JSON that Go writes: sorted keys, no spaces, `<`, `>` and `&` escaped. */
export function goJson(value: unknown): string {
  return (JSON.stringify(value ?? null, sorted) ?? 'null').replace(/[<>&\u2028\u2029]/g, escaped)
}

const sorted = (_: string, value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
