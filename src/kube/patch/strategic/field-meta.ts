import type { Schema } from '../../schema/schema.ts'
import { Refusal } from '../refusal.ts'

export type Fields = Readonly<Record<string, unknown>>
export type Mutable = Record<string, unknown>

/** The directives of a strategic merge patch. */
export const directive = '$patch'
export const retainKeysDirective = '$retainKeys'
export const deleteFromListPrefix = '$deleteFromPrimitiveList'
export const elementOrderPrefix = '$setElementOrder'

/** How one field merges: the type below it, and what the field itself declares. */
export interface FieldMeta {
  /** For an object its own type, for a list the type of its elements; absent where nothing is known. */
  readonly below: Schema | undefined
  readonly strategy: 'merge' | 'replace' | undefined
  readonly retainKeys: boolean
  readonly mergeKey: string | undefined
}

const unknownField: FieldMeta = { below: undefined, strategy: undefined, retainKeys: false, mergeKey: undefined }

/** Looks up a field that holds an object. Below an unknown type everything merges like a JSON merge patch. */
export function objectField(schema: Schema | undefined, key: string): FieldMeta {
  return metaOf(fieldSchema(schema, key), (field) => field)
}

/** Looks up a field that holds a list. */
export function listField(schema: Schema | undefined, key: string): FieldMeta {
  return metaOf(fieldSchema(schema, key), (field) => field.items ?? field)
}

function metaOf(field: Schema | undefined, below: (field: Schema) => Schema): FieldMeta {
  if (!field) return unknownField
  const strategies = field.patchStrategy ?? []
  return {
    below: below(field),
    strategy: strategies.find((strategy) => strategy !== 'retainKeys'),
    retainKeys: strategies.includes('retainKeys'),
    mergeKey: field.patchMergeKey,
  }
}

function fieldSchema(schema: Schema | undefined, key: string): Schema | undefined {
  if (!schema) return undefined
  const named = schema.properties?.get(key)
  if (named) return named
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties
  const isOpen = !schema.properties || schema.additionalProperties === true || schema.preserveUnknownFields
  if (isOpen) return undefined
  throw new Refusal({
    code: 'strategic-patch-field-unknown',
    at: key,
    message: `unable to find api field ${JSON.stringify(key)}${schema.definition ? ` in ${schema.definition}` : ''}`,
  })
}

/** Refuses a patch, with what is wrong about its form. */
export function badFormat(message: string, at?: string): never {
  throw new Refusal({ code: 'strategic-patch-invalid', ...(at === undefined ? {} : { at }), message })
}

/** Says what a value is, as messages name it. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  return typeof value === 'object' ? 'map' : typeof value
}

/** Refuses a value of the wrong kind. */
export function badKind(expected: 'map' | 'list', value: unknown, at?: string): never {
  return badFormat(`expected a ${expected}, but received a ${kindOf(value)}`, at)
}

/** The field that a `$prefix/field` directive is about. */
export function directiveField(key: string, prefix: string): string {
  const slash = key.indexOf('/')
  if (slash !== prefix.length) {
    return badFormat(
      `invalid patch format of ${prefix === elementOrderPrefix ? 'setElementOrder' : 'primitive'} list: ${key}`,
    )
  }
  return key.slice(slash + 1)
}
