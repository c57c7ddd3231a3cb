import type { Json } from '../../lib/json.ts'

/**
 * One node of a type: what a field may hold, and how it merges. Built-in kinds and custom resources share it; validation,
 * defaulting, pruning, strategic merge, server-side apply, CEL types and OpenAPI documents all read it, so that a fact
 * about a field is written once. Nodes may form cycles (JSONSchemaProps does): walk them along a value, never serialise them.
 */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  /** The OpenAPI definition this node stands for, when it has a name. */
  readonly definition?: string
  readonly format?: string
  readonly nullable?: boolean
  readonly properties?: ReadonlyMap<string, Schema>
  readonly required?: readonly string[]
  /** The schema of values under names that `properties` does not list; true admits anything. */
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly default?: Json
  readonly enum?: readonly Json[]

  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema

  /** How server-side apply treats a list: as one value, as a set of scalars, or as a map by `listMapKeys`. */
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly listMapKeys?: readonly string[]
  /** How server-side apply treats an object: key by key, or as one value. */
  readonly mapType?: 'granular' | 'atomic'
  /** How strategic merge patch treats a field. */
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[]
  readonly patchMergeKey?: string

  readonly preserveUnknownFields?: boolean
  readonly embeddedResource?: boolean
  readonly intOrString?: boolean
  readonly validations?: readonly ValidationRule[]
}

/** A CEL rule of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate'
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}
