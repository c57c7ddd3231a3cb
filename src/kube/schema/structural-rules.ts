import { isEqual, isObject } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import { type FieldError, forbidden, invalid, required } from './field-error.ts'
import { prune } from './prune.ts'
import type { Schema } from './schema.ts'
import { validate } from './validate.ts'

/** Where a node stands: what is required of it depends on it. */
type Level = 'root' | 'item' | 'field'

interface Check {
  readonly problems: FieldError[]
}

/** Where defaults may not be, and why. */
interface Place {
  readonly level: Level
  /** Inside apiVersion, kind or metadata, of the root or of an embedded object. */
  readonly inMeta?: boolean
  readonly noDefault?: string
}

/** The rules that make a schema structural, and those for each of its keywords. */
export function checkStructure(schema: Schema, at: string): readonly FieldError[] {
  const check: Check = { problems: [] }
  checkNode(schema, at, { level: 'root' }, check)
  checkComplete(schema, schema, at, at, check)
  if (check.problems.length === 0) checkDefaults(schema, at, false, check)
  return check.problems.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}

const emptyTypeMessages: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

const metaNames: readonly string[] = ['apiVersion', 'kind', 'metadata']

function checkNode(node: Schema, at: string, place: Place, check: Check): void {
  checkType(node, at, place.level, check)
  checkExtensions(node, at, place, check)
  checkLists(node, at, check)
  checkValues(node, at, check)
  checkMetaFields(node, at, place.level, check)
  if (node.default !== undefined && place.noDefault !== undefined) {
    check.problems.push(forbidden(`${at}.default`, `must not be set ${place.noDefault}`))
  }
  checkChildren(node, at, place, check)
}

function checkChildren(node: Schema, at: string, place: Place, check: Check): void {
  const inherited = place.inMeta ? { inMeta: true } : {}
  const noDefault = place.noDefault === undefined ? {} : { noDefault: place.noDefault }
  if (node.items) checkNode(node.items, `${at}.items`, { level: 'item', ...inherited, ...noDefault }, check)
  for (const [name, below] of node.properties ?? []) {
    const isMeta = (place.level === 'root' || node.embeddedResource === true) && metaNames.includes(name)
    const placed: Place = {
      level: 'field',
      ...inherited,
      ...noDefault,
      ...(isMeta ? { inMeta: true } : {}),
      ...(isMeta && place.level === 'root' ? { noDefault: `in top-level ${name}` } : {}),
    }
    checkNode(below, `${at}.properties[${name}]`, placed, check)
  }
  if (isObject(node.additionalProperties)) {
    const inMeta = place.inMeta ? { noDefault: 'inside additionalProperties applying to object metadata' } : noDefault
    checkNode(
      node.additionalProperties,
      `${at}.additionalProperties`,
      { level: 'field', ...inherited, ...inMeta },
      check,
    )
  }
}

function checkType(node: Schema, at: string, level: Level, { problems }: Check): void {
  if (node.type === 'array' && !node.items) problems.push(required(`${at}.items`, 'must be specified'))
  if (node.embeddedResource && node.type !== 'object') {
    const because = 'must be object if x-kubernetes-embedded-resource is true'
    problems.push(node.type ? invalid(`${at}.type`, node.type, because) : required(`${at}.type`, because))
  } else if (!node.type && !node.intOrString && !node.preserveUnknownFields) {
    problems.push(required(`${at}.type`, emptyTypeMessages[level]))
  }
  if (level === 'root') checkRoot(node, at, problems)
  if (node.properties?.size && (isObject(node.additionalProperties) || node.additionalProperties === false)) {
    problems.push(forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'))
  }
  if (node.uniqueItems) {
    problems.push(
      forbidden(
        `${at}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  }
}

function checkRoot(node: Schema, at: string, problems: FieldError[]): void {
  if (node.type && node.type !== 'object') {
    problems.push(invalid(`${at}.type`, node.type, 'must be object at the root'))
  }
  if (node.nullable) problems.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'))
  if (isObject(node.additionalProperties)) {
    problems.push(forbidden(`${at}.additionalProperties`, 'must not be used at the root'))
  }
}

function checkExtensions(node: Schema, at: string, place: Place, { problems }: Check): void {
  if (node.intOrString && node.preserveUnknownFields) {
    const because = 'must be false if x-kubernetes-int-or-string is true'
    problems.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, true, because))
  }
  if (!node.embeddedResource) return
  if (node.intOrString) {
    const because = 'must be false if x-kubernetes-int-or-string is true'
    problems.push(invalid(`${at}.x-kubernetes-embedded-resource`, true, because))
  }
  if (node.additionalProperties !== undefined) {
    const because = 'must not be used if x-kubernetes-embedded-resource is set'
    problems.push(forbidden(`${at}.additionalProperties`, because))
  }
  if (place.inMeta) {
    problems.push(forbidden(`${at}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'))
  }
  if (!node.preserveUnknownFields && !node.properties?.size) {
    const because =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    problems.push(required(`${at}.properties`, because))
  }
}

function checkLists(node: Schema, at: string, { problems }: Check): void {
  const { items, listType, listMapKeys = [], mapType, type } = node
  const needs = (wanted: string, keyword: string): void => {
    const because = `must be ${wanted} if ${keyword} is specified`
    problems.push(type ? invalid(`${at}.type`, type, because) : required(`${at}.type`, because))
  }
  if (mapType && type !== 'object') needs('object', 'x-kubernetes-map-type')
  if (listType && type !== 'array') needs('array', 'x-kubernetes-list-type')
  if (listMapKeys.length > 0 && listType !== 'map') {
    const because = 'must be map if x-kubernetes-list-map-keys is non-empty'
    const place = `${at}.x-kubernetes-list-type`
    problems.push(listType ? invalid(place, listType, because) : required(place, because))
  }
  if (listType === 'map') checkMapKeys(node, at, problems)
  if (listType === 'set' && items) checkSetItems(items, at, problems)
  if (listType && listType !== 'atomic' && items?.nullable) {
    problems.push(forbidden(`${at}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`))
  }
}

function checkSetItems(items: Schema, at: string, problems: FieldError[]): void {
  const because = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  if (items.type === 'array' && items.listType && items.listType !== 'atomic') {
    problems.push(invalid(`${at}.items.x-kubernetes-list-type`, items.listType, because))
  }
  if (items.type === 'object' && items.mapType !== 'atomic') {
    problems.push(invalid(`${at}.items.x-kubernetes-map-type`, items.mapType ?? null, because))
  }
}

function checkMapKeys({ items, listMapKeys = [] }: Schema, at: string, problems: FieldError[]): void {
  const keysAt = `${at}.x-kubernetes-list-map-keys`
  if (listMapKeys.length === 0) {
    problems.push(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'))
  }
  if (!items) {
    problems.push(required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map'))
    return
  }
  if (items.type !== 'object') {
    const because = "must be object if parent array's x-kubernetes-list-type is map"
    problems.push(invalid(`${at}.items.type`, items.type ?? '', because))
    return
  }
  if (new Set(listMapKeys).size < listMapKeys.length) {
    problems.push(invalid(keysAt, listMapKeys, 'must not contain duplicate entries'))
  }
  for (const key of listMapKeys) checkMapKey(items, key, at, problems)
}

function checkMapKey(items: Schema, key: string, at: string, problems: FieldError[]): void {
  const node = items.properties?.get(key)
  const place = `${at}.items.properties[${key}]`
  if (!node) {
    problems.push(invalid(`${at}.x-kubernetes-list-map-keys`, [key], 'entries must all be names of item properties'))
    return
  }
  if (node.type === 'array' || node.type === 'object') {
    const because = "must be a scalar type if parent array's x-kubernetes-list-type is map"
    problems.push(invalid(`${place}.type`, node.type, because))
  }
  if (node.default === undefined && !items.required?.includes(key)) {
    const because =
      'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
    problems.push(required(`${place}.default`, because))
  }
  if (node.nullable) {
    const because = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
    problems.push(forbidden(`${place}.nullable`, because))
  }
}

function checkPattern({ pattern }: Schema, at: string, { problems }: Check): void {
  if (pattern === undefined) return
  const compiled = compilePattern(pattern)
  if (compiled.ok) return
  const because = `must be a valid regular expression, but isn't: ${compiled.error[0]?.message ?? ''}`
  problems.push(invalid(`${at}.pattern`, pattern, because))
}

const isType = (node: Schema | undefined, type: string): boolean =>
  node !== undefined && node.type === type && Object.keys(node).length === 1
const isIntOrStringPair = (branches: readonly Schema[] | undefined): boolean =>
  branches?.length === 2 && isType(branches[0], 'integer') && isType(branches[1], 'string')

/** Value rules below a structural node. Two spellings of int-or-string may name types there. */
function checkValues(node: Schema, at: string, check: Check): void {
  checkPattern(node, at, check)
  if (!isIntOrStringPair(node.anyOf)) nestedBranches(node.anyOf, `${at}.anyOf`, check)
  nestedBranches(node.oneOf, `${at}.oneOf`, check)
  if (node.not) checkNested(node.not, `${at}.not`, check)
  for (const [index, branch] of (node.allOf ?? []).entries()) {
    const mayNameTypes = index === 0 && isIntOrStringPair(branch.anyOf)
    checkNested(branch, `${at}.allOf[${index}]`, check, mayNameTypes)
  }
}

function nestedBranches(branches: readonly Schema[] | undefined, at: string, check: Check): void {
  for (const [index, branch] of (branches ?? []).entries()) checkNested(branch, `${at}[${index}]`, check)
}

/** What adds to the structure, and so may not stand under a junction. */
const structureOnly: readonly (readonly [keyof Schema, string, string])[] = [
  ['type', 'type', 'must be empty to be structural'],
  ['additionalProperties', 'additionalProperties', 'must be undefined to be structural'],
  ['default', 'default', 'must be undefined to be structural'],
  ['nullable', 'nullable', 'must be false to be structural'],
  ['preserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['embeddedResource', 'x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['intOrString', 'x-kubernetes-int-or-string', 'must be false to be structural'],
  ['listMapKeys', 'x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['listType', 'x-kubernetes-list-type', 'must be undefined to be structural'],
  ['mapType', 'x-kubernetes-map-type', 'must be undefined to be structural'],
  ['validations', 'x-kubernetes-validations', 'must be empty to be structural'],
]

function checkNested(node: Schema, at: string, check: Check, mayNameTypes: boolean = false): void {
  checkPattern(node, at, check)
  for (const [field, keyword, because] of structureOnly) {
    if (node[field] !== undefined) check.problems.push(forbidden(`${at}.${keyword}`, because))
  }
  if (!mayNameTypes) nestedBranches(node.anyOf, `${at}.anyOf`, check)
  nestedBranches(node.oneOf, `${at}.oneOf`, check)
  nestedBranches(node.allOf, `${at}.allOf`, check)
  if (node.not) checkNested(node.not, `${at}.not`, check)
  if (node.items) checkNested(node.items, `${at}.items`, check)
  for (const [name, below] of node.properties ?? []) {
    const place = `${at}.properties[${name}]`
    if (name === 'metadata') check.problems.push(forbidden(place, 'must not be specified in a nested context'))
    checkNested(below, place, check)
  }
}

function checkMetaFields(node: Schema, at: string, level: Level, { problems }: Check): void {
  const isResource = level === 'root' || node.embeddedResource === true
  if (!isResource) return
  for (const name of ['kind', 'apiVersion']) {
    const below = node.properties?.get(name)
    if (below && below.type !== 'string') {
      problems.push(invalid(`${at}.properties[${name}].type`, below.type ?? '', 'must be string'))
    }
  }
  const metadata = node.properties?.get('metadata')
  if (!metadata) return
  const place = `${at}.properties[metadata]`
  if (metadata.type !== 'object') problems.push(invalid(`${place}.type`, metadata.type ?? '', 'must be object'))
  if (level !== 'root') return
  const names = [...(metadata.properties?.keys() ?? [])]
  const isMore = Object.keys(metadata).some((key) => !['type', 'properties', 'default'].includes(key))
  if (isMore || names.some((name) => name !== 'name' && name !== 'generateName')) {
    const because = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    problems.push(forbidden(place, because))
  }
}

/** Every field that a junction at the root speaks about must be part of the structure. */
function checkComplete(rules: Schema, node: Schema | undefined, rulesAt: string, at: string, check: Check): void {
  const branches: readonly (readonly [string, Schema])[] = [
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((junction) =>
      (rules[junction] ?? []).map((branch, index): readonly [string, Schema] => [`${junction}[${index}]`, branch]),
    ),
    ...(rules.not ? [['not', rules.not] as const] : []),
  ]
  for (const [name, branch] of branches) checkBranch(branch, node, `${rulesAt}.${name}`, at, check)
}

function checkBranch(branch: Schema, node: Schema | undefined, branchAt: string, at: string, check: Check): void {
  if (!node) {
    check.problems.push(required(at, `because it is defined in ${branchAt}`))
    return
  }
  checkComplete(branch, node, branchAt, at, check)
  if (branch.items) checkBranch(branch.items, node.items, `${branchAt}.items`, `${at}.items`, check)
  for (const [name, below] of branch.properties ?? []) {
    const place = `properties[${name}]`
    checkBranch(below, node.properties?.get(name), `${branchAt}.${place}`, `${at}.${place}`, check)
  }
}

/** A default must be what its own schema accepts, without fields that it does not know. */
function checkDefaults(node: Schema, at: string, inMeta: boolean, check: Check): void {
  if (node.default !== undefined && !inMeta) {
    const pruned = prune(node.default, node, { isRoot: false })
    if (!isEqual(pruned.value, node.default)) {
      check.problems.push(invalid(`${at}.default`, node.default, 'must be pruned'))
    }
    for (const problem of validate(node.default, node)) {
      check.problems.push({ ...problem, at: problem.at === '' ? `${at}.default` : `${at}.default.${problem.at}` })
    }
  }
  if (node.items) checkDefaults(node.items, `${at}.items`, inMeta, check)
  for (const [name, below] of node.properties ?? []) {
    const isMeta = inMeta || (node.embeddedResource === true && metaNames.includes(name))
    checkDefaults(below, `${at}.properties[${name}]`, isMeta, check)
  }
}
