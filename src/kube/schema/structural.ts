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

type Read = (value: unknown, draft: Draft, at: string, parse: Parse) => void

function readNode(source: Node, at: string, parse: Parse): Schema {
  const draft: Draft = {}
  if (++parse.nodes > MOST_NODES) return draft
  for (const keyword in source) readers.get(keyword)?.(source[keyword], draft, at, parse)
  return draft
}

const nodeAt = (value: unknown, at: string, parse: Parse): Schema => readNode(isObject(value) ? value : {}, at, parse)

const refuse =
  (keyword: string): Read =>
  (_value, _draft, at, { problems }) => {
    problems.push(forbidden(`${at}.${keyword}`, `${keyword} is not supported`))
  }

type NumberKeyword =
  | 'minimum'
  | 'maximum'
  | 'multipleOf'
  | 'minLength'
  | 'maxLength'
  | 'minItems'
  | 'maxItems'
  | 'minProperties'
  | 'maxProperties'

const number =
  (keyword: NumberKeyword): Read =>
  (value, draft) => {
    if (typeof value === 'number') draft[keyword] = value
  }

type FlagKeyword =
  | 'nullable'
  | 'exclusiveMinimum'
  | 'exclusiveMaximum'
  | 'uniqueItems'
  | 'embeddedResource'
  | 'intOrString'

const flag =
  (keyword: FlagKeyword): Read =>
  (value, draft) => {
    if (value === true) draft[keyword] = true
  }

const text =
  (keyword: 'format' | 'pattern'): Read =>
  (value, draft) => {
    if (typeof value === 'string' && value !== '') draft[keyword] = value
  }

const texts =
  (keyword: 'required' | 'listMapKeys'): Read =>
  (value, draft) => {
    if (Array.isArray(value) && value.length > 0) draft[keyword] = value.filter((name) => typeof name === 'string')
  }

const branches =
  (keyword: 'allOf' | 'anyOf' | 'oneOf'): Read =>
  (value, draft, at, parse) => {
    if (!Array.isArray(value) || value.length === 0) return
    draft[keyword] = value.map((branch: unknown, index) => nodeAt(branch, `${at}.${keyword}[${index}]`, parse))
  }

const readType: Read = (type, draft, at, { problems }) => {
  if (type === 'null') {
    problems.push(forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative'))
  } else if (typeof type === 'string' && types.includes(type)) {
    draft.type = type as NonNullable<Schema['type']> // one of the six above
  } else if (type !== undefined && type !== '') problems.push(notSupported(`${at}.type`, type, types))
}

const readProperties: Read = (value, draft, at, parse) => {
  if (!isObject(value)) return
  const properties = new Map<string, Schema>()
  for (const name in value) properties.set(name, nodeAt(value[name], `${at}.properties[${name}]`, parse))
  draft.properties = properties
}

const readItems: Read = (value, draft, at, parse) => {
  if (Array.isArray(value)) {
    parse.problems.push(forbidden(`${at}.items`, 'items must be a schema object and not an array'))
  } else if (isObject(value)) draft.items = readNode(value, `${at}.items`, parse)
}

const readMore: Read = (value, draft, at, parse) => {
  if (typeof value === 'boolean') draft.additionalProperties = value
  else if (isObject(value)) draft.additionalProperties = readNode(value, `${at}.additionalProperties`, parse)
}

const readPreserve: Read = (value, draft, at, { problems }) => {
  if (value === true) draft.preserveUnknownFields = true
  else problems.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, value, 'must be true or undefined'))
}

const listTypes = ['atomic', 'set', 'map'] as const
const mapTypes = ['atomic', 'granular'] as const

const readListType: Read = (value, draft, at, { problems }) => {
  const choice = listTypes.find((one) => one === value)
  if (choice !== undefined) draft.listType = choice
  else if (value !== null) problems.push(notSupported(`${at}.x-kubernetes-list-type`, value, listTypes))
}

const readMapType: Read = (value, draft, at, { problems }) => {
  const choice = mapTypes.find((one) => one === value)
  if (choice !== undefined) draft.mapType = choice
  else if (value !== null) problems.push(notSupported(`${at}.x-kubernetes-map-type`, value, mapTypes))
}

const readRules: Read = (value, draft, at, parse) => {
  if (!Array.isArray(value) || value.length === 0) return
  draft.validations = value.map((rule: unknown, index) =>
    readRule(isObject(rule) ? rule : {}, `${at}.x-kubernetes-validations[${index}]`, parse),
  )
}

/** What each keyword means; the others (title, description, example) mean nothing here. */
const readers: ReadonlyMap<string, Read> = new Map<string, Read>([
  ...['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'].map(
    (keyword): readonly [string, Read] => [keyword, refuse(keyword)],
  ),
  ['type', readType],
  ['nullable', flag('nullable')],
  ['format', text('format')],
  ['pattern', text('pattern')],
  ['default', (value, draft) => void (draft.default = value as Json)], // parsed JSON
  ['enum', (value, draft) => void (Array.isArray(value) && (draft.enum = value as readonly Json[]))], // parsed JSON
  ['required', texts('required')],
  ['minimum', number('minimum')],
  ['maximum', number('maximum')],
  ['exclusiveMinimum', flag('exclusiveMinimum')],
  ['exclusiveMaximum', flag('exclusiveMaximum')],
  ['multipleOf', number('multipleOf')],
  ['minLength', number('minLength')],
  ['maxLength', number('maxLength')],
  ['minItems', number('minItems')],
  ['maxItems', number('maxItems')],
  ['uniqueItems', flag('uniqueItems')],
  ['minProperties', number('minProperties')],
  ['maxProperties', number('maxProperties')],
  ['properties', readProperties],
  ['items', readItems],
  ['additionalProperties', readMore],
  ['not', (value, draft, at, parse) => void (isObject(value) && (draft.not = readNode(value, `${at}.not`, parse)))],
  ['allOf', branches('allOf')],
  ['anyOf', branches('anyOf')],
  ['oneOf', branches('oneOf')],
  ['x-kubernetes-preserve-unknown-fields', readPreserve],
  ['x-kubernetes-embedded-resource', flag('embeddedResource')],
  ['x-kubernetes-int-or-string', flag('intOrString')],
  ['x-kubernetes-list-type', readListType],
  ['x-kubernetes-map-type', readMapType],
  ['x-kubernetes-list-map-keys', texts('listMapKeys')],
  ['x-kubernetes-validations', readRules],
])

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
