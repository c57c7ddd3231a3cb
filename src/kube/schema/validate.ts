import { isEqual, isObject } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import { type FieldError, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from './field-error.ts'
import { formatCheck } from './formats.ts'
import { listCheck } from './list-type.ts'
import { junctionChecks } from './junction.ts'
import type { Schema } from './schema.ts'
import { isAsItWas } from './ratchet.ts'
import { report, type Validation, type Validator } from './validation.ts'
import { DEEPEST, isDeeperThan, perKey, Trail } from './walk.ts'
import { embeddedCheck } from './embedded.ts'

/**
 * Everything that a schema says against a value, in the words of the API server's field errors; CEL rules are not evaluated
 * here. The schema is compiled at first sight.
 */
export function validate(value: unknown, schema: Schema, at: readonly (string | number)[] = []): readonly FieldError[] {
  const trail = new Trail()
  for (const step of at) trail.push(step)
  if (isDeeperThan(value, DEEPEST)) {
    return [invalid(trail.toString(), '', `nested deeper than ${DEEPEST} levels`)]
  }
  const walk: Validation = { trail, problems: [] }
  validatorOf(schema)(value, walk)
  return walk.problems
}

/**
 * What a schema says against a value that replaces another, in whose words an old mistake may stay: a part that is as it was
 * is not judged, so that a stricter schema does not lock out objects that are there already. Items of a list correspond
 * when the list is a map.
 */
export function validateUpdate(value: unknown, old: unknown, schema: Schema): readonly FieldError[] {
  if (isDeeperThan(value, DEEPEST)) return validate(value, schema)
  const walk: Validation = { trail: new Trail(), problems: [], places: [] }
  validatorOf(schema)(value, walk)
  return walk.problems.filter((_problem, index) => !isAsItWas(walk.places?.[index] ?? [], value, old, schema))
}

/** The compiled checks of a schema. */
export const validatorOf: (schema: Schema) => Validator = perKey((schema: Schema) => compile(schema))

/** The go-openapi form of a message about a value: the field is named once more, with where it came from. */
const told = (walk: Validation, value: unknown, detail: string): void =>
  report(walk, (at) => invalid(at, value, `${at} in body ${detail}`))

/** The JSON type as messages name it. */
export function jsonType(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function compile(schema: Schema): Validator {
  const type = schema.intOrString ? 'integer,string' : schema.type
  const text = compileText(schema)
  const number = compileNumber(schema)
  const list = compileList(schema)
  const object = compileObject(schema)
  const any = [...compileEnum(schema), ...junctionChecks(schema, validatorOf)]
  const allows = (name: string): boolean => type === undefined || type === name
  const isText = allows('string') || schema.intOrString === true
  const isNumber = allows('number')
  const isInteger = allows('integer') || schema.intOrString === true
  const [isFlag, isList, isMap] = [allows('boolean'), allows('array'), allows('object')]
  const isNullable = schema.nullable === true || type === undefined

  const wrongType: Validator = (value, walk) => {
    const actual = jsonType(value)
    report(walk, (at) =>
      typeInvalid(at, actual, `${at} in body must be of type ${type ?? ''}: ${JSON.stringify(actual)}`),
    )
  }
  const dispatch = (value: unknown, walk: Validation): boolean => {
    if (typeof value === 'string') {
      if (isText) for (const check of text) check(value, walk)
      return isText
    }
    if (typeof value === 'number') {
      const fits = isNumber || (isInteger && Number.isInteger(value))
      if (fits) for (const check of number) check(value, walk)
      return fits
    }
    if (typeof value === 'boolean') return isFlag
    if (value === null || value === undefined) return isNullable
    if (Array.isArray(value)) {
      if (isList) for (const check of list) check(value, walk)
      return isList
    }
    if (isMap) for (const check of object) check(value as Readonly<Record<string, unknown>>, walk)
    return isMap
  }
  return (value, walk) => {
    if (!dispatch(value, walk)) wrongType(value, walk)
    else if (any.length > 0) for (const check of any) check(value, walk)
  }
}

/** Unicode characters, as Go counts them. */
export function lengthOf(text: string): number {
  let length = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0xd8_00 && unit < 0xdc_00 && (text.charCodeAt(at + 1) & 0xfc_00) === 0xdc_00) {
      length--
      at++
    }
  }
  return length
}

function compileText({ minLength, maxLength, pattern, format, type }: Schema): readonly Validator<string>[] {
  const checks: Validator<string>[] = []
  if (maxLength !== undefined) {
    checks.push((value, walk) => {
      if (value.length > maxLength && lengthOf(value) > maxLength) report(walk, (at) => tooLong(at, maxLength))
    })
  }
  if (minLength !== undefined && minLength > 0) {
    checks.push((value, walk) => {
      if (value.length < minLength || lengthOf(value) < minLength) {
        told(walk, value, `should be at least ${minLength} chars long`)
      }
    })
  }
  if (pattern !== undefined) {
    const compiled = compilePattern(pattern)
    checks.push((value, walk) => {
      if (!compiled.ok) told(walk, value, `cannot be matched: ${compiled.error[0]?.message ?? ''}`)
      else if (!compiled.value.matcher(value).find()) told(walk, value, `should match '${pattern}'`)
    })
  }
  const fits = format === undefined || (type !== undefined && type !== 'string') ? undefined : formatCheck(format)
  if (fits) {
    checks.push((value, walk) => {
      if (fits(value)) return
      report(walk, (at) =>
        typeInvalid(at, value, `${at} in body must be of type ${format ?? ''}: ${JSON.stringify(value)}`),
      )
    })
  }
  return checks
}

const SMALLEST_INT32 = -2_147_483_648
const LARGEST_INT32 = 2_147_483_647

function compileNumber(schema: Schema): readonly Validator<number>[] {
  const { minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum } = schema
  const checks: Validator<number>[] = []
  if (maximum !== undefined) {
    checks.push((value, walk) => {
      if (exclusiveMaximum ? value < maximum : value <= maximum) return
      told(walk, value, `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
    })
  }
  if (minimum !== undefined) {
    checks.push((value, walk) => {
      if (exclusiveMinimum ? value > minimum : value >= minimum) return
      told(walk, value, `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
    })
  }
  if (multipleOf !== undefined && multipleOf > 0) {
    checks.push((value, walk) => {
      const times = value / multipleOf
      if (Math.abs(times - Math.round(times)) > 1e-9) told(walk, value, `should be a multiple of ${multipleOf}`)
    })
  }
  if (schema.format === 'int32' && schema.type === 'integer') {
    checks.push((value, walk) => {
      if (value < SMALLEST_INT32 || value > LARGEST_INT32) told(walk, value, 'must be of type int32')
    })
  }
  return checks
}

function compileList(schema: Schema): readonly Validator<readonly unknown[]>[] {
  const { items, minItems, maxItems } = schema
  const checks: Validator<readonly unknown[]>[] = []
  if (maxItems !== undefined) {
    checks.push((value, walk) => {
      if (value.length > maxItems) report(walk, (at) => tooMany(at, value.length, maxItems))
    })
  }
  if (minItems !== undefined) {
    checks.push((value, walk) => {
      if (value.length < minItems) told(walk, value.length, `should have at least ${minItems} items`)
    })
  }
  const unique = listCheck(schema)
  if (unique) checks.push(unique)
  if (items) {
    const { isFine, check } = propertyOf(items)
    checks.push((value, walk) => {
      for (let at = 0; at < value.length; at++) {
        if (isFine?.(value[at]) === true) continue
        walk.trail.push(at)
        check(value[at], walk)
        walk.trail.pop()
      }
    })
  }
  return checks
}

function compileObject(schema: Schema): readonly Validator<Readonly<Record<string, unknown>>>[] {
  const { minProperties, maxProperties, required: names = [] } = schema
  const checks: Validator<Readonly<Record<string, unknown>>>[] = []
  if (names.length > 0) {
    checks.push((value, walk) => {
      for (const name of names) {
        if (Object.hasOwn(value, name) && value[name] !== undefined) continue
        walk.trail.push(name)
        report(walk, (at) => required(at))
        walk.trail.pop()
      }
    })
  }
  if (maxProperties !== undefined) {
    checks.push((value, walk) => {
      const count = Object.keys(value).length
      if (count > maxProperties) report(walk, (at) => tooMany(at, count, maxProperties))
    })
  }
  if (minProperties !== undefined && minProperties > 0) {
    checks.push((value, walk) => {
      const count = Object.keys(value).length
      if (count < minProperties) told(walk, count, `should have at least ${minProperties} properties`)
    })
  }
  const below = compileProperties(schema)
  if (below) checks.push(below)
  if (schema.embeddedResource) checks.push(embeddedCheck)
  return checks
}

/** What a scalar's schema may hold without narrowing the type. */
const saysNothing: ReadonlySet<string> = new Set([
  'type',
  'nullable',
  'definition',
  'default',
  'patchStrategy',
  'patchMergeKey',
])
const isInt32 = (value: unknown): boolean => typeof value === 'number' && value === (value | 0)

/** What most values are: scalars of the right type on which the schema says nothing more. They need no further look. */
function quickTest(schema: Schema): ((value: unknown) => boolean) | undefined {
  const { type, format } = schema
  const isPlain = Object.keys(schema).every((name) => saysNothing.has(name) || name === 'format')
  if (!isPlain) return undefined
  if (type === 'string' && (format === undefined || formatCheck(format) === undefined)) {
    return (value) => typeof value === 'string'
  }
  if (type === 'boolean') return (value) => typeof value === 'boolean'
  if (type === 'integer') return format === 'int32' ? isInt32 : Number.isInteger
  return undefined
}

interface Property {
  readonly isFine: ((value: unknown) => boolean) | undefined
  readonly check: Validator
}

const propertyOf = (node: Schema): Property => ({ isFine: quickTest(node), check: validatorOf(node) })

function compileProperties(schema: Schema): Validator<Readonly<Record<string, unknown>>> | undefined {
  const { properties, additionalProperties: more } = schema
  if (!properties?.size && (more === undefined || more === true)) return undefined
  const known = new Map([...(properties ?? [])].map(([name, node]) => [name, propertyOf(node)]))
  const others = isObject(more) ? propertyOf(more) : more === false ? forbiddenProperty : undefined
  return (value, walk) => {
    for (const name in value) {
      const below = value[name]
      const property = known.get(name) ?? others
      if (property === undefined || below === undefined || property.isFine?.(below) === true) continue
      walk.trail.push(name)
      property.check(below, walk)
      walk.trail.pop()
    }
  }
}

const forbiddenProperty: Property = {
  isFine: undefined,
  check: (_value, walk) => report(walk, (at) => invalid(at, '', `${at} in body is a forbidden property`)),
}

function compileEnum({ enum: allowed }: Schema): readonly Validator[] {
  if (!allowed) return []
  const texts = allowed.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
  const scalars = new Set(allowed.filter((one) => typeof one !== 'object' || one === null))
  const rest = allowed.filter((one) => typeof one === 'object' && one !== null)
  return [
    (value, walk) => {
      if (scalars.has(value as string) || rest.some((one) => isEqual(one, value))) return
      report(walk, (at) => notSupported(at, value, texts))
    },
  ]
}
