import { isEqual, isObject, own } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import type { HelmDialect } from './dialect.ts'
import { isFormat } from './json-format.ts'

/** A JSON schema of the kinds that charts carry: draft 7 and the same words of earlier and later drafts. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>

/** One thing that is wrong, in the words of the validators of both helms. */
export interface Violation {
  readonly path: readonly string[]
  readonly words: Readonly<Record<HelmDialect, string>>
  /** What failed in the branches of anyOf, oneOf and the like. */
  readonly below: readonly Violation[]
  /** The branch that came closest, which helm 3 lists after the keyword. */
  readonly best: readonly Violation[]
}

const DEEPEST = 200
const MOST_STEPS = 2_000_000

interface Check {
  readonly root: JsonSchema
  readonly schema: Readonly<Record<string, unknown>>
  readonly value: unknown
  readonly path: readonly string[]
  readonly depth: number
  readonly budget: { left: number }
  /** Formats are checked, not only noted. */
  readonly formats: boolean
}

type Found = Violation | undefined | false

const violation = (
  path: readonly string[],
  three: string,
  four: string,
  below: readonly Violation[] = [],
  best: readonly Violation[] = [],
): Violation => ({ path, words: { 3: three, 4: four }, below, best })

const typeOf = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'bigint') return 'integer'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')
const show = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? 'null'))
const numberAt = (check: Check, key: string): number | undefined => {
  const value = own(check.schema, key)
  return typeof value === 'number' ? value : undefined
}

/** Violations of a value below the place of a check. */
function sub(check: Check, schema: unknown, value: unknown, ...more: readonly string[]): readonly Violation[] {
  return walk(
    { ...check, value, path: more.length > 0 ? [...check.path, ...more] : check.path, depth: check.depth + 1 },
    schema,
  )
}

function walk(check: Omit<Check, 'schema'>, schema: unknown): readonly Violation[] {
  if (schema === true || schema === undefined) return []
  const { path, value } = check
  if (schema === false) return [violation(path, 'False always fails validation', 'false schema')]
  if (!isObject(schema)) return []
  if (check.depth > DEEPEST || --check.budget.left < 0) {
    return [violation(path, 'the schema nests too deeply', 'the schema nests too deeply')]
  }
  const reference = own(schema, '$ref')
  if (typeof reference === 'string') {
    const target = resolve(check.root, reference)
    if (target !== undefined) return walk({ ...check, depth: check.depth + 1 }, target)
    const message = `the reference ${JSON.stringify(reference)} leads out of the schema, which is not followed`
    return [violation(path, message, message)]
  }
  const full: Check = { ...check, schema }
  const found: (Found | readonly Violation[])[] = common.map((test) => test(full))
  if (typeof value === 'string') found.push(...strings.map((test) => test(full, value)))
  else if (typeof value === 'number' || typeof value === 'bigint') {
    found.push(...numbers.map((test) => test(full, Number(value))))
  } else if (Array.isArray(value)) found.push(...lists.map((test) => test(full, value)), items(full, value))
  else if (isObject(value)) found.push(...objects.map((test) => test(full, value)))
  return found.flatMap((each) => (each ? each : []))
}

/** Follows `#/definitions/x`. */
function resolve(root: JsonSchema, reference: string): unknown {
  if (reference === '#' || reference === '') return root
  if (!reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    at = Array.isArray(at) ? (at[Number(name)] as unknown) : isObject(at) ? own(at, name) : undefined
  }
  return at
}

/** The order in which helm 4 names types. */
const typeOrder: readonly string[] = ['null', 'boolean', 'array', 'number', 'integer', 'string', 'object']

function type({ schema, value, path }: Check): Found {
  const declared = own(schema, 'type')
  const wanted = typeof declared === 'string' ? [declared] : texts(declared)
  const given = typeOf(value)
  if (wanted.length === 0 || wanted.includes(given) || (given === 'integer' && wanted.includes('number')))
    return undefined
  const name = given === 'integer' ? 'number' : given
  const three = wanted.length === 1 ? wanted[0] : `[${wanted.join(',')}]`
  const four = typeOrder.filter((kind) => wanted.includes(kind)).join(' or ')
  return violation(path, `Invalid type. Expected: ${three}, given: ${given}`, `got ${name}, want ${four}`)
}

function enumeration({ schema, value, path }: Check): Found {
  const allowed = own(schema, 'enum')
  if (!Array.isArray(allowed) || allowed.some((item) => isEqual(item, value))) return undefined
  const three = `${path.join('.') || '(root)'} must be one of the following: ${allowed.map((item) => JSON.stringify(item)).join(', ')}`
  const simple = allowed.every((item) => typeof item !== 'object' || item === null)
  const four = !simple
    ? 'enum failed'
    : allowed.length === 1
      ? `value must be ${show(allowed[0])}`
      : `value must be one of ${allowed.map(show).join(', ')}`
  return violation(path, three, four)
}

function constant({ schema, value, path }: Check): Found {
  const wanted = own(schema, 'const')
  if (wanted === undefined || isEqual(wanted, value)) return undefined
  const three = `${path.join('.') || '(root)'} does not match: ${JSON.stringify(wanted)}`
  return violation(
    path,
    three,
    typeof wanted === 'object' && wanted !== null ? 'const failed' : `value must be ${show(wanted)}`,
  )
}

const branches = (check: Check, key: string): readonly (readonly Violation[])[] | undefined => {
  const schemas = own(check.schema, key)
  return Array.isArray(schemas) ? schemas.map((schema) => sub(check, schema, check.value)) : undefined
}

/** The branch with the fewest violations, one of the right type before one of the wrong. */
const closest = (all: readonly (readonly Violation[])[]): readonly Violation[] => {
  const badness = (found: readonly Violation[]): number =>
    found.length + (found.some(({ words }) => words[3].startsWith('Invalid type')) ? 0.5 : 0)
  return all.toSorted((a, b) => badness(a) - badness(b))[0] ?? []
}

function anyOf(check: Check): Found {
  const found = branches(check, 'anyOf')
  if (!found || found.some((each) => each.length === 0)) return undefined
  return violation(
    check.path,
    'Must validate at least one schema (anyOf)',
    "'anyOf' failed",
    found.flat(),
    closest(found),
  )
}

function oneOf(check: Check): Found {
  const found = branches(check, 'oneOf')
  if (!found) return undefined
  const matched = found.flatMap((each, index) => (each.length === 0 ? [index] : []))
  if (matched.length === 1) return undefined
  const three = 'Must validate one and only one schema (oneOf)'
  return matched.length === 0
    ? violation(check.path, three, "'oneOf' failed, none matched", found.flat(), closest(found))
    : violation(check.path, three, `'oneOf' failed, subschemas ${matched.slice(0, 2).join(', ')} matched`)
}

function allOf(check: Check): Found {
  const found = branches(check, 'allOf')
  if (!found || found.every((each) => each.length === 0)) return undefined
  return violation(
    check.path,
    'Must validate all the schemas (allOf)',
    "'allOf' failed",
    found.flat(),
    closest(found.filter((each) => each.length > 0)),
  )
}

function not(check: Check): Found {
  const schema = own(check.schema, 'not')
  if (schema === undefined || sub(check, schema, check.value).length > 0) return undefined
  return violation(check.path, 'Must not validate the schema (not)', "'not' failed")
}

function conditional(check: Check): Found | readonly Violation[] {
  const condition = own(check.schema, 'if')
  if (condition === undefined) return undefined
  const holds = sub(check, condition, check.value).length === 0
  const found = sub(check, own(check.schema, holds ? 'then' : 'else'), check.value)
  if (found.length === 0) return undefined
  const three = holds ? 'Must validate "then" as "if" was valid' : 'Must validate "else" as "if" was not valid'
  return [violation(check.path, three, '', found, found)]
}

const common: readonly ((check: Check) => Found | readonly Violation[])[] = [
  type,
  enumeration,
  constant,
  anyOf,
  oneOf,
  allOf,
  not,
  conditional,
]

const lengthOf = (text: string): number => Array.from(text).length

const strings: readonly ((check: Check, text: string) => Found)[] = [
  (check, text) => {
    const least = numberAt(check, 'minLength')
    return (
      least !== undefined &&
      lengthOf(text) < least &&
      violation(
        check.path,
        `String length must be greater than or equal to ${least}`,
        `minLength: got ${lengthOf(text)}, want ${least}`,
      )
    )
  },
  (check, text) => {
    const most = numberAt(check, 'maxLength')
    return (
      most !== undefined &&
      lengthOf(text) > most &&
      violation(
        check.path,
        `String length must be less than or equal to ${most}`,
        `maxLength: got ${lengthOf(text)}, want ${most}`,
      )
    )
  },
  (check, text) => {
    const source = own(check.schema, 'pattern')
    if (typeof source !== 'string') return undefined
    const pattern = compilePattern(source)
    if (pattern.ok && pattern.value.matcher(text).find()) return undefined
    return violation(check.path, `Does not match pattern '${source}'`, `'${text}' does not match pattern '${source}'`)
  },
  (check, text) => {
    const format = own(check.schema, 'format')
    return (
      check.formats &&
      typeof format === 'string' &&
      !isFormat(format, text) &&
      violation(check.path, `Does not match format '${format}'`, `'${text}' is not valid ${format}`)
    )
  },
]

const bound =
  (key: string, holds: (value: number, limit: number) => boolean, words: string) =>
  (check: Check, value: number): Found => {
    const limit = numberAt(check, key)
    return (
      limit !== undefined &&
      !holds(value, limit) &&
      violation(check.path, `Must be ${words} ${limit}`, `${key}: got ${value}, want ${limit}`)
    )
  }

const numbers: readonly ((check: Check, value: number) => Found)[] = [
  (check, value) => {
    const of = numberAt(check, 'multipleOf')
    if (of === undefined || of === 0 || Math.abs(value / of - Math.round(value / of)) < 1e-9) return undefined
    return violation(check.path, `Must be a multiple of ${of}`, `multipleOf: got ${value}, want ${of}`)
  },
  bound('maximum', (value, limit) => value <= limit, 'less than or equal to'),
  bound('exclusiveMaximum', (value, limit) => value < limit, 'less than'),
  bound('minimum', (value, limit) => value >= limit, 'greater than or equal to'),
  bound('exclusiveMinimum', (value, limit) => value > limit, 'greater than'),
]

function items(check: Check, list: readonly unknown[]): readonly Violation[] {
  const schema = own(check.schema, 'items')
  const tuple = Array.isArray(schema) ? schema : own(check.schema, 'prefixItems')
  const fixed: readonly unknown[] = Array.isArray(tuple) ? tuple : []
  const rest = Array.isArray(schema) ? own(check.schema, 'additionalItems') : schema
  const found: Violation[] = []
  for (const [index, item] of list.entries()) {
    if (index >= fixed.length && rest === false) {
      const more = list.length - fixed.length
      found.push(
        violation(check.path, 'No additional items allowed on array', `last ${more} additionalItem(s) not allowed`),
      )
      break
    }
    found.push(...sub(check, index < fixed.length ? fixed[index] : rest, item, String(index)))
  }
  return found
}

const lists: readonly ((check: Check, list: readonly unknown[]) => Found | readonly Violation[])[] = [
  (check, list) => {
    const least = numberAt(check, 'minItems')
    return (
      least !== undefined &&
      list.length < least &&
      violation(check.path, `Array must have at least ${least} items`, `minItems: got ${list.length}, want ${least}`)
    )
  },
  (check, list) => {
    const most = numberAt(check, 'maxItems')
    return (
      most !== undefined &&
      list.length > most &&
      violation(check.path, `Array must have at most ${most} items`, `maxItems: got ${list.length}, want ${most}`)
    )
  },
  (check, list) => {
    if (own(check.schema, 'uniqueItems') !== true) return undefined
    const seen = new Map<string, number>()
    for (const [index, item] of list.entries()) {
      const text = canonical(item)
      const before = seen.get(text)
      if (before !== undefined)
        return violation(
          check.path,
          `array items[${before},${index}] must be unique`,
          `items at ${before} and ${index} are equal`,
        )
      seen.set(text, index)
    }
    return undefined
  },
  (check, list) => {
    const schema = own(check.schema, 'contains')
    if (schema === undefined) return undefined
    const found = list.map((item, index) => sub(check, schema, item, String(index)))
    if (found.some((each) => each.length === 0)) return undefined
    return violation(
      check.path,
      'At least one of the items must match',
      'no items match contains schema',
      found.flat(),
      closest(found),
    )
  },
]

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1))) : item,
  )

function properties(check: Check, object: Readonly<Record<string, unknown>>): readonly Violation[] {
  const declared = own(check.schema, 'properties')
  const patterns = own(check.schema, 'patternProperties')
  const named = isObject(declared) ? declared : {}
  const matching = Object.entries(isObject(patterns) ? patterns : {}).map(([source, schema]) => ({
    pattern: compilePattern(source),
    schema,
  }))
  const rest = own(check.schema, 'additionalProperties')
  const found: Violation[] = []
  const extra: string[] = []
  for (const [name, value] of Object.entries(object)) {
    const fitting = matching.filter(({ pattern }) => pattern.ok && pattern.value.matcher(name).find())
    for (const { schema } of fitting) found.push(...sub(check, schema, value, name))
    if (Object.hasOwn(named, name)) found.push(...sub(check, own(named, name), value, name))
    else if (fitting.length > 0) continue
    else if (rest === false) extra.push(name)
    else found.push(...sub(check, rest, value, name))
  }
  if (extra.length > 0) {
    const [first = '', ...more] = extra
    const three = (name: string): string => `Additional property ${name} is not allowed`
    const also = more.map((name) => violation(check.path, three(name), ''))
    found.push(violation(check.path, three(first), `additional properties ${quoted(extra)} not allowed`, [], also))
  }
  return found
}

function required(check: Check, object: Readonly<Record<string, unknown>>): Found {
  const missing = texts(own(check.schema, 'required')).filter((name) => !Object.hasOwn(object, name))
  const [first, ...more] = missing
  if (first === undefined) return undefined
  const also = more.map((name) => violation(check.path, `${name} is required`, ''))
  const four = missing.length === 1 ? `missing property '${first}'` : `missing properties ${quoted(missing)}`
  return violation(check.path, `${first} is required`, four, [], also)
}

function dependencies(check: Check, object: Readonly<Record<string, unknown>>): readonly Violation[] {
  const declared = own(check.schema, 'dependencies') ?? own(check.schema, 'dependentRequired')
  return Object.entries(isObject(declared) ? declared : {}).flatMap(([name, needed]) => {
    if (!Object.hasOwn(object, name)) return []
    if (!Array.isArray(needed)) return sub(check, needed, object)
    const missing = texts(needed).filter((other) => !Object.hasOwn(object, other))
    const four = `properties ${quoted(missing)} required, if '${name}' exists`
    return missing.length === 0 ? [] : [violation(check.path, `Has a dependency on ${missing[0]}`, four)]
  })
}

const objects: readonly ((check: Check, object: Readonly<Record<string, unknown>>) => Found | readonly Violation[])[] =
  [
    required,
    properties,
    dependencies,
    (check, object) => {
      const least = numberAt(check, 'minProperties')
      const size = Object.keys(object).length
      return (
        least !== undefined &&
        size < least &&
        violation(check.path, `Must have at least ${least} properties`, `minProperties: got ${size}, want ${least}`)
      )
    },
    (check, object) => {
      const most = numberAt(check, 'maxProperties')
      const size = Object.keys(object).length
      return (
        most !== undefined &&
        size > most &&
        violation(check.path, `Must have at most ${most} properties`, `maxProperties: got ${size}, want ${most}`)
      )
    },
    (check, object) => {
      const schema = own(check.schema, 'propertyNames')
      if (schema === undefined) return undefined
      return Object.keys(object).flatMap((name) => {
        const found = sub(check, schema, name)
        const below = found.map((each) => ({ ...each, path: [] }))
        const three = `Property name of "${name}" does not match`
        return found.length === 0 ? [] : [violation(check.path, three, `invalid propertyName '${name}'`, below, found)]
      })
    },
  ]

/** Checks a JSON value against a schema and lists everything that is wrong. Bounded in depth and steps. */
export function validateJson(schema: JsonSchema, value: unknown, formats: boolean = true): readonly Violation[] {
  return walk({ root: schema, value, path: [], depth: 0, budget: { left: MOST_STEPS }, formats }, schema)
}
