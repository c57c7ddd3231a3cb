import type { GroupVersionKind } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import {
  nobody,
  type Operation,
  type PolicyRequest,
  type PolicyUser,
  namespaceLabelsOf,
} from '../../engine/policy-request.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'
import { type Fields, fieldsOf, listOf, textMapOf, textOf, textsOf } from '../read.ts'
import { type KindSelector, parseKindSelector, selectsKind } from './kind-selector.ts'
import { compileLabelMatcher, type LabelMatcher } from './label-selector.ts'

/** What a rule is asked about: one object, and who does what to it. */
export interface Subject {
  readonly object: KubeObject
  readonly kind: GroupVersionKind
  readonly subresource: string
  readonly operation: Operation
  readonly user: PolicyUser
  readonly namespaceLabels: Readonly<Record<string, string>>
}

/** Tells whether a rule is about a subject. */
export type Matcher = (subject: Subject) => boolean

/** The subject of a request: the new object, or for a deletion the old one. */
export function subjectFor(request: PolicyRequest, object: KubeObject): Subject {
  return {
    object,
    kind: request.kind,
    subresource: request.subresource ?? '',
    operation: request.operation,
    user: request.user,
    namespaceLabels: namespaceLabelsOf(request) ?? {},
  }
}

/** One resource filter with its two parts, the object and the user. */
interface Filter {
  readonly resource: readonly Matcher[]
  readonly user: readonly Matcher[]
}

const isNobody = (user: PolicyUser): boolean =>
  user === nobody ||
  (user.username === '' && user.groups.length === 0 && user.roles.length === 0 && user.clusterRoles.length === 0)

/** Compiles `match` and `exclude` of a rule. */
export function compileMatch(match: unknown, exclude: unknown): Matcher {
  const wanted = compileBlock(fieldsOf(match), matchesFilter)
  const unwanted = exclude === undefined || exclude === null ? undefined : compileExclude(fieldsOf(exclude))
  return (subject) => wanted(subject) && !unwanted?.(subject)
}

/** Compiles the `match` of a PolicyException: nothing at all matches nothing, and the user always counts. */
export function compileExceptionMatch(match: unknown): Matcher {
  const { any, all } = fieldsOf(match)
  const strict = (filter: Filter, subject: Subject): boolean => !isEmpty(filter) && holds(filter, subject)
  if (Array.isArray(any) && any.length > 0) return compileBlock({ any }, strict)
  if (Array.isArray(all) && all.length > 0) return compileBlock({ all }, strict)
  return () => false
}

type FilterTest = (filter: Filter, subject: Subject) => boolean

function compileBlock(block: Fields, test: FilterTest): Matcher {
  const any = listOf(block['any']).map((item) => filterOf(fieldsOf(item)))
  if (any.length > 0) return (subject) => any.some((filter) => test(filter, subject))
  const all = listOf(block['all']).map((item) => filterOf(fieldsOf(item)))
  if (all.length > 0) return (subject) => all.every((filter) => test(filter, subject))
  const only = filterOf(block)
  return (subject) => test(only, subject)
}

/** Where nobody asks (a background scan), what a rule says of users does not count; what is left must say something. */
function matchesFilter(filter: Filter, subject: Subject): boolean {
  const user = isNobody(subject.user) ? [] : filter.user
  if (filter.resource.length === 0 && user.length === 0) return false
  return filter.resource.every((matches) => matches(subject)) && user.every((matches) => matches(subject))
}

const isEmpty = ({ resource, user }: Filter): boolean => resource.length === 0 && user.length === 0

const holds = ({ resource, user }: Filter, subject: Subject): boolean =>
  resource.every((matches) => matches(subject)) && user.every((matches) => matches(subject))

function compileExclude(block: Fields): Matcher {
  return compileBlock(block, (filter, subject) => !isEmpty(filter) && holds(filter, subject))
}

function filterOf(filter: Fields): Filter {
  return { resource: resourceTests(fieldsOf(filter['resources'])), user: userTests(filter) }
}

function resourceTests(description: Fields): readonly Matcher[] {
  const tests: Matcher[] = []
  const operations = textsOf(description['operations'])
  if (operations.length > 0) tests.push(({ operation }) => operations.includes(operation))
  const kinds = textsOf(description['kinds']).map(parseKindSelector)
  if (kinds.length > 0) tests.push(({ kind, subresource }) => kinds.some((one) => selectsKind(one, kind, subresource)))
  const name = textOf(description['name'])
  if (name !== '') tests.push(({ object }) => matchesWildcard(name, nameOf(object)))
  const names = textsOf(description['names'])
  if (names.length > 0) tests.push(({ object }) => names.some((one) => matchesWildcard(one, nameOf(object))))
  const namespaces = textsOf(description['namespaces'])
  if (namespaces.length > 0)
    tests.push(({ object }) => namespaces.some((one) => matchesWildcard(one, namespaceOf(object))))
  const annotations = Object.entries(textMapOf(description['annotations']))
  if (annotations.length > 0) tests.push(({ object }) => hasAnnotations(object, annotations))
  if (description['selector']) tests.push(selectorTest(compileLabelMatcher(description['selector'])))
  if (description['namespaceSelector'])
    tests.push(namespaceSelectorTest(compileLabelMatcher(description['namespaceSelector'])))
  return tests
}

const nameOf = ({ metadata }: KubeObject): string => metadata?.name || metadata?.generateName || ''

/** A Namespace counts as being in itself. */
const namespaceOf = ({ kind, metadata }: KubeObject): string =>
  (kind === 'Namespace' ? metadata?.name : metadata?.namespace) ?? ''

function hasAnnotations({ metadata }: KubeObject, wanted: readonly (readonly [string, string])[]): boolean {
  const found = Object.entries(textMapOf(metadata?.annotations))
  return wanted.every(([key, value]) =>
    found.some(([name, text]) => matchesWildcard(key, name) && matchesWildcard(value, text)),
  )
}

const selectorTest =
  (matches: LabelMatcher): Matcher =>
  ({ object }) =>
    matches(textMapOf(object.metadata?.labels))

const namespaceSelectorTest =
  (matches: LabelMatcher): Matcher =>
  ({ object, namespaceLabels }) =>
    object.kind !== 'Namespace' && matches(namespaceLabels)

function userTests(filter: Fields): readonly Matcher[] {
  const tests: Matcher[] = []
  const roles = textsOf(filter['roles'])
  if (roles.length > 0) tests.push(({ user }) => user.roles.some((role) => roles.includes(role)))
  const clusterRoles = textsOf(filter['clusterRoles'])
  if (clusterRoles.length > 0) tests.push(({ user }) => user.clusterRoles.some((role) => clusterRoles.includes(role)))
  const subjects = listOf(filter['subjects']).map((item) => fieldsOf(item))
  if (subjects.length > 0) tests.push(({ user }) => subjects.some((subject) => isSubject(subject, user)))
  return tests
}

function isSubject(subject: Fields, user: PolicyUser): boolean {
  const name = textOf(subject['name'])
  switch (subject['kind']) {
    case 'ServiceAccount':
      return matchesWildcard(`system:serviceaccount:${textOf(subject['namespace'])}:${name}`, user.username)
    case 'Group':
      return user.groups.some((group) => matchesWildcard(name, group))
    case 'User':
      return matchesWildcard(name, user.username)
    default:
      return false
  }
}

/** Every kind that a match block names; `*` where a filter names none. */
export function kindsOf(
  match: unknown,
): readonly { readonly selector: KindSelector; readonly operations: readonly string[] }[] {
  const block = fieldsOf(match)
  const any = listOf(block['any'])
  const all = listOf(block['all'])
  const filters = any.length > 0 ? any : all.length > 0 ? all : [block]
  return filters.flatMap((filter) => {
    const { kinds, operations } = fieldsOf(fieldsOf(filter)['resources'])
    const named = textsOf(kinds)
    return (named.length > 0 ? named : ['*/*']).map((kind) => ({
      selector: parseKindSelector(kind),
      operations: textsOf(operations),
    }))
  })
}
