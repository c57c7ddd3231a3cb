import { lookUp, stringOf as gjsonText } from '../../../lang/gjson/gjson.ts'
import { marshalJson } from '../../../lang/gotemplate/json.ts'
import { settleBytes } from '../../../lib/go-string.ts'
import { isObject, type Json, own, setOwn } from '../../../lib/json.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import type { SecretData } from './decode.ts'
import { failed, type Fetched } from './trouble.ts'

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** More digits than a number here can tell apart. */
const TOO_PRECISE = /\d{16,}/
const DEEPEST = 500

/**
 * Reads JSON; undefined where it is none, or nests too deeply. Numbers with more digits than a number can hold become
 * texts, so that no digit of a secret is lost. Nothing of the text ever gets into a message.
 */
export function readJson(text: string): Json | undefined {
  try {
    const settled = settleBytes(text)
    const exact = TOO_PRECISE.test(settled)
      ? settled.replaceAll(TOKEN, (token) => (!token.startsWith('"') && TOO_PRECISE.test(token) ? `"${token}"` : token))
      : settled
    const value = JSON.parse(exact) as Json
    return isTooDeep(value, 0) ? undefined : value
  } catch {
    return undefined
  }
}

function isTooDeep(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth >= DEEPEST || Object.values(value).some((item: Json) => isTooDeep(item, depth + 1))
}

/** A value as JSON text in Go's spelling: sorted keys. */
export function jsonText(value: unknown, escapesHtml: boolean = true): string {
  const text = marshalJson(value, { escapesHtml })
  if (typeof text !== 'string') throw new Error('a value of JSON cannot be written as JSON')
  return text
}

/** Values by their keys as one JSON object. */
export const dataAsJson = (data: ReadonlyMap<string, Json>): string => {
  const object: Record<string, Json> = {}
  for (const [key, value] of data) setOwn(object, key, value)
  return jsonText(object, false)
}

/** A value of JSON as the bytes that a key of a Secret holds: texts as they are, blocks as JSON, null as nothing. */
export function valueText(value: Json): string {
  if (typeof value === 'string') return value
  return value === null ? '' : jsonText(value)
}

/** The keys of an object as data. */
export function dataOf(value: Json): Result<SecretData, undefined> {
  if (!isObject(value)) return { ok: false, error: undefined }
  return succeed(new Map(Object.entries(value as Readonly<Record<string, Json>>).map(([key, item]) => [key, valueText(item)])))
}

/** The keys of a JSON object as data: texts without their quotes, everything else as it is written. */
export function dataOfJson(text: string): Fetched<SecretData> {
  const value = readJson(text)
  const data = value === undefined ? undefined : dataOf(value)
  return data?.ok === true ? data : failed('the secret is not a JSON object, so its keys cannot be taken apart')
}

/** What a property leads to: a key of that very name first, then a path as gjson has it. */
export function propertyOf(value: Json, property: string): string | undefined {
  if (isObject(value)) {
    const named = own(value as Readonly<Record<string, Json>>, property)
    if (named !== undefined) return valueText(named)
  }
  return pathOf(value, property)
}

/** What a path of gjson leads to. */
export function pathOf(value: Json, path: string): string | undefined {
  const found = lookUp(value, path)
  return found === undefined ? undefined : gjsonText(found)
}

