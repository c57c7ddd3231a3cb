import type { KubeObject } from '../../kube/object.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { isObject } from '../../lib/json.ts'
import { parseKindSelector } from '../classic/match/kind-selector.ts'
import { isWildcard } from '../engine/wildcard.ts'
import { specFields } from './envelope.ts'
import type { MatchResources, MatchRule } from './match.ts'
import { type NativePair, notNative, pairOf } from './native-pair.ts'

/** The collections that a kind of a rule names; more or fewer than one make it useless here. */
export type FindCollections = (kind: {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly subresource: string
}) => readonly { readonly group: string; readonly version: string; readonly plural: string }[]

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

const no = (because: string): Result<NativePair> => notNative(`ValidatingAdmissionPolicy${because}`)

/** One side of a rule, `match` or `exclude`, as the filters it consists of. */
interface Side {
  readonly filters: readonly Fields[]
  readonly all: number
  readonly any: number
}

function sideOf(value: unknown): Side {
  const side = fieldsOf(value)
  const any = listOf(side['any'])
  const all = listOf(side['all'])
  const own = Object.keys(side).some((key) => key !== 'any' && key !== 'all') ? [side] : []
  return { filters: [...own, ...any, ...all], all: all.length, any: any.length }
}

const resourcesOf = (filter: Fields): Fields => fieldsOf(filter['resources'])

function sideProblem({ filters, all, any }: Side, isMatch: boolean, word: string): string | undefined {
  if (all > 1) return `: multiple 'all' in the ${word} block is not applicable.`
  for (const filter of filters) {
    if (['subjects', 'roles', 'clusterRoles'].some((name) => textsOrFields(filter[name])))
      return ': Roles / ClusterRoles / Subjects in `any/all` is not applicable.'
    const problem = resourceProblem(resourcesOf(filter), isMatch)
    if (problem) return problem
  }
  const selects = filters.some((filter) => resourcesOf(filter)['namespaceSelector'] ?? resourcesOf(filter)['selector'])
  if (!selects) return undefined
  if (!isMatch) return ': NamespaceSelector / ObjectSelector in the exclude block is not applicable.'
  return any > 1
    ? ': NamespaceSelector / ObjectSelector across multiple resources in the match block are not applicable.'
    : undefined
}

const textsOrFields = (value: unknown): boolean => Array.isArray(value) && value.length > 0

function resourceProblem(resources: Fields, isMatch: boolean): string | undefined {
  const namespaces = textsOf(resources['namespaces'])
  if (!isMatch && textsOf(resources['kinds']).length > 0 && namespaces.length > 0)
    return ': excluding a resource within a namespace is not applicable.'
  if (Object.keys(fieldsOf(resources['annotations'])).length > 0)
    return ': Annotations in resource description is not applicable.'
  if (namesOf(resources).some(isWildcard)) return ': wildcards in resource name is not applicable.'
  return namespaces.some(isWildcard) ? ': wildcards in namespace name is not applicable.' : undefined
}

const namesOf = (resources: Fields): readonly string[] => [
  ...textsOf(resources['names']),
  ...(typeof resources['name'] === 'string' && resources['name'] !== '' ? [resources['name']] : []),
]

const overrides = (value: unknown): string | undefined => {
  const list = listOf(value)
  if (list.length > 1) return ': multiple validationFailureActionOverrides are not applicable.'
  return list.some((each) => textsOf(each['namespaces']).length > 0)
    ? ': Namespaces in validationFailureActionOverrides is not applicable.'
    : undefined
}

/**
 * The ValidatingAdmissionPolicy that a ClusterPolicy with one `validate.cel` rule and `generate: true` becomes (kyverno 1.18,
 * pkg/admissionpolicy), or why there is none.
 */
export function nativeOfClassic(
  object: KubeObject,
  exceptions: readonly KubeObject[],
  find: FindCollections,
): Result<NativePair> {
  const spec = specFields(object)
  const rules = listOf(spec['rules'])
  const [rule] = rules
  if (!rule) return no(': no rules found.')
  if (rules.length > 1) return no(': multiple rules are not applicable.')
  const validate = fieldsOf(rule['validate'])
  const cel = fieldsOf(validate['cel'])
  if (!isObject(validate['cel'])) return no(' for non CEL rules.')
  if (cel['generate'] !== true) return no(': validate.cel.generate is not set to true.')
  const match = sideOf(rule['match'])
  const exclude = sideOf(rule['exclude'])
  const spared = exceptions.map((exception) => sideOf(specFields(exception)['match']))
  const problem =
    overrides(spec['validationFailureActionOverrides']) ??
    overrides(validate['failureActionOverrides']) ??
    sideProblem(match, true, 'match') ??
    sideProblem(exclude, false, 'exclude') ??
    exceptionProblem(exceptions) ??
    spared.map((side) => sideProblem(side, false, 'match')).find((each) => each !== undefined)
  if (problem) return no(problem)
  const constraints = constraintsOf(match, [exclude, ...spared], find)
  if (!constraints.ok) return constraints
  const native = present({
    matchConstraints: constraints.value,
    paramKind: cel['paramKind'],
    variables: cel['variables'],
    validations: cel['expressions'],
    auditAnnotations: cel['auditAnnotations'],
    matchConditions: rule['celPreconditions'],
  })
  const action = validate['failureAction'] ?? spec['validationFailureAction']
  const enforces = typeof action === 'string' && action.toLowerCase() === 'enforce'
  const binding = present({
    paramRef: cel['paramRef'],
    validationActions: enforces ? ['Deny'] : ['Audit', 'Warn'],
  })
  return succeed(pairOf(object, { prefix: 'cpol', kind: 'ValidatingAdmissionPolicy', spec: native, binding }))
}

const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

function exceptionProblem(exceptions: readonly KubeObject[]): string | undefined {
  for (const exception of exceptions) {
    const spec = specFields(exception)
    if (listOf(spec['exceptions']).some((each) => textsOf(each['ruleNames']).length > 1))
      return ': multiple ruleNames in PolicyException is not applicable.'
    if (spec['conditions'] !== undefined) return ': Conditions in PolicyException is not applicable.'
  }
  return undefined
}

function constraintsOf(match: Side, excluded: readonly Side[], find: FindCollections): Result<MatchResources> {
  const included = rulesOf(match, true, find)
  if (!included.ok) return included
  const left = excluded.map((side) => rulesOf(side, false, find))
  const failed = left.find((each) => !each.ok)
  if (failed && !failed.ok) return failed
  const excludeResourceRules = left.flatMap((each) => (each.ok ? each.value : []))
  // The last filter that has selectors wins, as upstream has it.
  const last = resourcesOf(match.filters.at(-1) ?? {})
  const namespaces = textsOf(last['namespaces'])
  const named = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces }] }
  return succeed({
    resourceRules: included.value,
    ...(namespaces.length > 0
      ? { namespaceSelector: named }
      : isObject(last['namespaceSelector'])
        ? { namespaceSelector: last['namespaceSelector'] }
        : {}),
    ...(isObject(last['selector']) ? { objectSelector: last['selector'] } : {}),
    ...(excludeResourceRules.length > 0 ? { excludeResourceRules } : {}),
  })
}

const OPERATIONS = ['CREATE', 'UPDATE', 'CONNECT', 'DELETE']

function rulesOf({ filters }: Side, isMatch: boolean, find: FindCollections): Result<readonly MatchRule[]> {
  const rules = new Map<string, { apiGroups: string[]; apiVersions: string[]; resources: string[] } & MatchRule>()
  const others: MatchRule[] = []
  for (const filter of filters) {
    const resources = resourcesOf(filter)
    const asked = textsOf(resources['operations'])
    const operations = asked.length > 0 ? OPERATIONS.filter((each) => asked.includes(each)) : OPERATIONS
    const names = namesOf(resources)
    const named = names.length > 0 ? { resourceNames: names } : {}
    for (const text of textsOf(resources['kinds'])) {
      if (text === '*') {
        others.push({ apiGroups: ['*'], apiVersions: ['*'], operations, resources: ['*'], ...named })
        continue
      }
      const [found, ...more] = find(parseKindSelector(text))
      if (!found || more.length > 0)
        return fail({ code: 'policy-native-not-applicable', message: `no unique match for kind ${text}` })
      const key = `${found.group}/${found.version}`
      const known = rules.get(key) ?? {
        apiGroups: [found.group],
        apiVersions: [found.version],
        operations,
        resources: [],
        ...named,
      }
      known.resources.push(found.plural, ...(found.plural === 'pods' ? ['pods/ephemeralcontainers'] : []))
      known.resources.sort()
      rules.set(key, known)
    }
    const namespaces = textsOf(resources['namespaces'])
    if (!isMatch && namespaces.length > 0 && textsOf(resources['kinds']).length === 0) {
      others.push({
        apiGroups: [''],
        apiVersions: ['v1'],
        operations,
        resources: ['namespaces'],
        resourceNames: namespaces,
      })
    }
  }
  return succeed([...rules.values(), ...others])
}
