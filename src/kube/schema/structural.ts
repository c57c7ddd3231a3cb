import { isObject, type Json, setOwn } from '../../lib/json.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from './field-error.ts'
import type { Schema, ValidationRule } from './schema.ts'
import { DEEPEST, isDeeperThan } from './walk.ts'
import { checkStructure } from './structural-rules.ts'

type Draft = { -readonly [K in keyof Schema]: Schema[K] }
type Node = Readonly<Record<string, unknown>>

/** A schema with more nodes than this is refused: the largest real ones have about twenty thousand. */
const MOST_NODES = 200_000

/** A custom resource's type, and everything that keeps its definition from being accepted. */
export interface ParsedStructural {
  /** What could be read, also when there are problems. */
  readonly schema: Schema
  readonly problems: readonly FieldError[]
}

interface Parse {
  readonly problems: FieldError[]
  nodes: number
}

/**
 * Reads an `openAPIV3Schema` into a Schema and checks the rules that make it structural: every field has a type, nothing
 * under allOf, anyOf, oneOf or not adds to the structure, the extensions fit together, and defaults are where they may be.
 * CEL rules are read, not compiled.
 */
export function parseStructural(source: unknown, at: string = 'openAPIV3Schema'): ParsedStructural {
  if (isDeeperThan(source, DEEPEST)) {
    return { schema: {}, problems: [invalid(at, '', `nested deeper than ${DEEPEST} levels`)] }
  }
  const parse: Parse = { problems: [], nodes: 0 }
  const schema = isObject(source) ? readNode(source, at, parse) : {}
  if (!isObject(source)) parse.problems.push(invalid(at, source, 'must be an object'))
  if (parse.nodes > MOST_NODES) {
    return { schema: {}, problems: [forbidden(at, `has more than ${MOST_NODES} nodes`)] }
  }
  return { schema, problems: [...parse.problems, ...checkStructure(schema, at)] }
}

/** Reads a schema without judging it: for what was accepted before. */
export function readStructural(source: unknown): Schema {
  return isObject(source) && !isDeeperThan(source, DEEPEST) ? readNode(source, '', { problems: [], nodes: 0 }) : {}
}

const types: readonly string[] = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** Keywords of JSON Schema that a definition may not use. */
const unsupported: readonly string[] = [
  'id',
  'additionalItems',
  'patternProperties',
  'definitions',
  'dependencies',
  '$ref',
]

const numbers = ['minimum', 'maximum', 'multipleOf', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const
const sizes = ['minProperties', 'maxProperties'] as const

function readNode(source: Node, at: string, parse: Parse): Schema {
  const draft: Draft = {}
  if (++parse.nodes > MOST_NODES) return draft
  for (const keyword of unsupported) {
    if (source[keyword] !== undefined && Object.hasOwn(source, keyword)) {
      parse.problems.push(forbidden(`${at}.${keyword}`, `${keyword} is not supported`))
    }
  }
  readType(source, draft, at, parse)
  readLimits(source, draft)
  readBelow(source, draft, at, parse)
  readExtensions(source, draft, at, parse)
  return draft
}

function readType(source: Node, draft: Draft, at: string, parse: Parse): void {
  const type = source['type']
  if (type === 'null') {
    parse.problems.push(forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative'))
  } else if (typeof type === 'string' && types.includes(type)) {
    draft.type = type as NonNullable<Schema['type']> // one of the six above
  } else if (type !== undefined && type !== '') {
    parse.problems.push(notSupported(`${at}.type`, type, types))
  }
  if (source['nullable'] === true) draft.nullable = true
  if (typeof source['format'] === 'string' && source['format'] !== '') draft.format = source['format']
  const fallback = source['default']
  if (fallback !== undefined && Object.hasOwn(source, 'default')) draft.default = fallback as Json // parsed JSON
}

function readLimits(source: Node, draft: Draft): void {
  for (const keyword of [...numbers, ...sizes]) {
    const value = source[keyword]
    if (typeof value === 'number') draft[keyword] = value
  }
  if (source['exclusiveMinimum'] === true) draft.exclusiveMinimum = true
  if (source['exclusiveMaximum'] === true) draft.exclusiveMaximum = true
  if (source['uniqueItems'] === true) draft.uniqueItems = true
  if (typeof source['pattern'] === 'string' && source['pattern'] !== '') draft.pattern = source['pattern']
  if (Array.isArray(source['enum'])) draft.enum = source['enum'] as readonly Json[] // parsed JSON
  const names = source['required']
  if (Array.isArray(names) && names.length > 0) draft.required = names.filter((name) => typeof name === 'string')
}

function readBelow(source: Node, draft: Draft, at: string, parse: Parse): void {
  const { properties, items, additionalProperties: more, not } = source
  if (isObject(properties)) {
    draft.properties = new Map(
      Object.entries(properties).map(([name, node]) => [
        name,
        readNode(isObject(node) ? node : {}, `${at}.properties[${name}]`, parse),
      ]),
    )
  }
  if (Array.isArray(items)) {
    parse.problems.push(forbidden(`${at}.items`, 'items must be a schema object and not an array'))
  } else if (isObject(items)) draft.items = readNode(items, `${at}.items`, parse)
  if (typeof more === 'boolean') draft.additionalProperties = more
  else if (isObject(more)) draft.additionalProperties = readNode(more, `${at}.additionalProperties`, parse)
  if (isObject(not)) draft.not = readNode(not, `${at}.not`, parse)
  for (const junction of ['allOf', 'anyOf', 'oneOf'] as const) {
    const branches = source[junction]
    if (!Array.isArray(branches) || branches.length === 0) continue
    draft[junction] = branches.map((branch: unknown, index) =>
      readNode(isObject(branch) ? branch : {}, `${at}.${junction}[${index}]`, parse),
    )
  }
}

function readExtensions(source: Node, draft: Draft, at: string, parse: Parse): void {
  const preserve = source['x-kubernetes-preserve-unknown-fields']
  if (preserve === true) draft.preserveUnknownFields = true
  else if (preserve !== undefined) {
    parse.problems.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, preserve, 'must be true or undefined'))
  }
  if (source['x-kubernetes-embedded-resource'] === true) draft.embeddedResource = true
  if (source['x-kubernetes-int-or-string'] === true) draft.intOrString = true
  readChoice(source, 'x-kubernetes-list-type', ['atomic', 'set', 'map'] as const, at, parse, (value) => {
    draft.listType = value
  })
  readChoice(source, 'x-kubernetes-map-type', ['atomic', 'granular'] as const, at, parse, (value) => {
    draft.mapType = value
  })
  const keys = source['x-kubernetes-list-map-keys']
  if (Array.isArray(keys) && keys.length > 0) draft.listMapKeys = keys.filter((key) => typeof key === 'string')
  const rules = source['x-kubernetes-validations']
  if (Array.isArray(rules) && rules.length > 0) {
    draft.validations = rules.map((rule: unknown, index) =>
      readRule(isObject(rule) ? rule : {}, `${at}.x-kubernetes-validations[${index}]`, parse),
    )
  }
}

// oxlint-disable-next-line max-params -- one keyword of many, read the same way
function readChoice<T extends string>(
  source: Node,
  keyword: string,
  choices: readonly T[],
  at: string,
  parse: Parse,
  set: (value: T) => void,
): void {
  const value = source[keyword]
  if (value === undefined || value === null) return
  const choice = choices.find((one) => one === value)
  if (choice === undefined) parse.problems.push(notSupported(`${at}.${keyword}`, value, choices))
  else set(choice)
}

const reasons: readonly NonNullable<ValidationRule['reason']>[] = [
  'FieldValueDuplicate',
  'FieldValueForbidden',
  'FieldValueInvalid',
  'FieldValueRequired',
]

const hasLineBreak = (text: string): boolean => /[\n\r]/.test(text)

function readRule(source: Node, at: string, parse: Parse): ValidationRule {
  const textOf = (name: string): string => (typeof source[name] === 'string' ? source[name] : '')
  const [rule, message, messageExpression, fieldPath] = ['rule', 'message', 'messageExpression', 'fieldPath'].map(
    textOf,
  )
  const reason = reasons.find((one) => one === source['reason'])
  const result: Record<string, unknown> = { rule: rule ?? '' }
  for (const [name, text] of Object.entries({ message, messageExpression, fieldPath })) {
    if (text) setOwn(result, name, text)
  }
  if (reason) result['reason'] = reason
  if (typeof source['optionalOldSelf'] === 'boolean') result['optionalOldSelf'] = source['optionalOldSelf']
  parse.problems.push(...ruleProblems({ rule, message, messageExpression, fieldPath }, at))
  if (source['reason'] !== undefined && !reason) {
    parse.problems.push(notSupported(`${at}.reason`, source['reason'], reasons))
  }
  return result as unknown as ValidationRule // every field was set above from checked values
}

type RuleTexts = Readonly<Record<'rule' | 'message' | 'messageExpression' | 'fieldPath', string | undefined>>

function ruleProblems(
  { rule = '', message = '', messageExpression = '', fieldPath = '' }: RuleTexts,
  at: string,
): readonly FieldError[] {
  const problems: FieldError[] = []
  if (rule.trim() === '') problems.push(required(`${at}.rule`, 'rule is not specified'))
  else if (message !== '' && message.trim() === '') {
    problems.push(invalid(`${at}.message`, message, 'must be non-empty if specified'))
  } else if (hasLineBreak(message.trim())) {
    problems.push(invalid(`${at}.message`, message, 'must not contain line breaks'))
  } else if (hasLineBreak(rule.trim()) && message.trim() === '') {
    problems.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'))
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    problems.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'))
  }
  if (fieldPath !== '' && fieldPath.trim() === '') {
    problems.push(invalid(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified'))
  } else if (hasLineBreak(fieldPath)) {
    problems.push(invalid(`${at}.fieldPath`, fieldPath, 'must not contain line breaks'))
  }
  return problems
}
