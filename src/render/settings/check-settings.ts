import { isObject, own } from '../../lib/json.ts'
import { nearest } from '../../lib/nearest.ts'
import type { SchemaType, SettingsSchema } from './settings-schema.ts'

/** Where in the settings something is: keys and indexes from the root. */
export type SettingsPath = readonly (string | number)[]

/** Something in the settings that is not as the schema says. */
export interface Finding {
  readonly path: SettingsPath
  readonly message: string
  readonly cure?: string
}

/** How a path is written: `nodes[1].capacity.cpu`. */
export function pathText(path: SettingsPath): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('')
}

const WORDS: Readonly<Record<SchemaType, string>> = {
  object: 'a section',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
}

/** Everything in a value that the schema does not allow, in the order in which it is written. */
export function checkSettings(value: unknown, schema: SettingsSchema, path: SettingsPath = []): readonly Finding[] {
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type
  if (!types.some((type) => isOf(value, type))) {
    const wanted = types.filter((type) => type !== 'null').map((type) => WORDS[type])
    const cure = typeof value === 'number' || typeof value === 'boolean' ? 'put it in quotes' : undefined
    const message = `must be ${wanted.join(' or ')}`
    return [{ path, message, ...(cure !== undefined && types.includes('string') ? { cure } : {}) }]
  }
  if (isObject(value)) return checkSection(value, schema, path)
  if (Array.isArray(value)) return checkList(value, schema, path)
  if (typeof value === 'string') return checkText(value, schema, path)
  return typeof value === 'number' ? checkNumber(value, schema, path) : []
}

function isOf(value: unknown, type: SchemaType): boolean {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type
  }
}

function checkSection(
  value: Readonly<Record<string, unknown>>,
  schema: SettingsSchema,
  path: SettingsPath,
): readonly Finding[] {
  const { properties = {}, additionalProperties, propertyNames, required = [] } = schema
  const missing = required.filter((key) => !Object.hasOwn(value, key))
  return [
    ...missing.map((key) => ({ path, message: `must have ${key}` })),
    ...Object.keys(value).flatMap((key): readonly Finding[] => {
      const below = [...path, key]
      const known = own(properties, key)
      if (known) return checkSettings(value[key], known, below)
      if (additionalProperties === false || additionalProperties === undefined)
        return [unknownKey(below, Object.keys(properties))]
      if (propertyNames && !new RegExp(propertyNames.pattern).test(key))
        return [{ path: below, message: 'has a name that cannot be used', cure: 'use letters, digits and dashes' }]
      return checkSettings(value[key], additionalProperties, below)
    }),
  ]
}

function unknownKey(path: SettingsPath, known: readonly string[]): Finding {
  const meant = nearest(String(path.at(-1)), known)
  const cure =
    meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${pathText([...path.slice(0, -1), meant])}?`
  return { path, message: 'is not a setting', cure }
}

function checkList(value: readonly unknown[], schema: SettingsSchema, path: SettingsPath): readonly Finding[] {
  const { items, minItems = 0 } = schema
  if (value.length < minItems) return [{ path, message: `must have ${minItems} at least` }]
  return items ? value.flatMap((item, index) => checkSettings(item, items, [...path, index])) : []
}

function checkText(value: string, schema: SettingsSchema, path: SettingsPath): readonly Finding[] {
  const { maxLength, pattern, patternErrorMessage = 'is not written as it must be' } = schema
  if (schema.enum && !schema.enum.includes(value)) {
    const meant = nearest(value, schema.enum)
    const message = `must be one of ${schema.enum.join(', ')}`
    return [{ path, message, ...(meant === undefined ? {} : { cure: `did you mean ${meant}?` }) }]
  }
  // Length is counted in characters, as JSON Schema does.
  if (maxLength !== undefined && value.length > maxLength && Array.from(value).length > maxLength)
    return [{ path, message: `is longer than ${maxLength} characters` }]
  return pattern !== undefined && !new RegExp(pattern, 'u').test(value) ? [{ path, message: patternErrorMessage }] : []
}

function checkNumber(value: number, schema: SettingsSchema, path: SettingsPath): readonly Finding[] {
  const { minimum = -Infinity, maximum = Infinity } = schema
  return value < minimum || value > maximum ? [{ path, message: `must be from ${minimum} to ${maximum}` }] : []
}
