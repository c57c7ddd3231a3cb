import type { Context } from './context.ts'

/** A value of a case: JSON in which Go's literals, calls and expressions are marked. */
export type GoValue = null | boolean | number | string | readonly GoValue[] | { readonly [key: string]: GoValue }

/** Something of a case that the extract does not hold any more. */
export class Lost extends Error {}

const ODD_NAMES: Readonly<Record<string, string>> = {
  APIVersion: 'apiVersion',
  API: 'api',
  SCMProvider: 'scmProvider',
  RepoURL: 'repoURL',
  APIGroups: 'apiGroups',
  APIVersions: 'apiVersions',
  JSONPointers: 'jsonPointers',
  JQPathExpressions: 'jqPathExpressions',
  SyncOptions: 'syncOptions',
  HealthLua: 'healthLua',
  CMP: 'cmp',
}
/** Flags whose literal is a pointer: the extract holds null where the case says `new(true)`. */
const TRUE_POINTERS: readonly string[] = ['AllowEmpty', 'SelfHeal', 'Prune', 'Enabled']
/** Pointers whose value makes no difference to what is compared. */
const LEFT_OUT: readonly string[] = ['RequeueAfterSeconds', 'RepositoryMatch']
/** Fields that Go writes even when they are empty. */
const ALWAYS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'v1alpha1.GitGenerator': { revision: '' },
}
/** Parts that Go puts into the object that holds them. */
const INLINE: readonly string[] = ['TypeMeta']

/** How JSON calls a field of a Go struct. */
export const jsonName = (field: string): string =>
  ODD_NAMES[field] ??
  (field === field.toUpperCase() ? field.toLowerCase() : field.charAt(0).toLowerCase() + field.slice(1))

/** A text of a case; '' for anything else. */
export const wordOf = (value: GoValue | undefined): string => (typeof value === 'string' ? value : '')

const isMarked = (value: GoValue, mark: string): value is { readonly [key: string]: GoValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && mark in value

/** Turns a literal of the case into what the API says. */
export function fromGo(value: GoValue, context: Context): unknown {
  if (typeof value === 'string') return context.renamed(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly GoValue[]).map((item) => fromGo(item, context))
  if (isMarked(value, '$expr')) return context.text(wordOf(value['$expr']))
  if (isMarked(value, '$call')) return fromCall(value, context)
  if (isMarked(value, '$func')) throw new Lost('a function')
  const object = value as unknown as { readonly [key: string]: GoValue }
  const type = object['$type']
  if (type === undefined) {
    return Object.fromEntries(Object.entries(object).map(([key, item]) => [key, fromGo(item, context)]))
  }
  if (typeof object['Raw'] === 'string') return JSON.parse(context.renamed(object['Raw'])) as unknown
  if ('$0' in object)
    return Object.entries(object)
      .filter(([key]) => key !== '$type')
      .map(([, item]) => fromGo(item, context))
  return fromStruct(object, context)
}

function fromStruct(object: { readonly [key: string]: GoValue }, context: Context): Record<string, unknown> {
  const made: Record<string, unknown> = { ...ALWAYS[wordOf(object['$type'])] }
  for (const [field, item] of Object.entries(object)) {
    if (field === '$type' || (item === null && LEFT_OUT.includes(field))) continue
    if (item === null) {
      if (!TRUE_POINTERS.includes(field)) throw new Lost(`the value of ${field}`)
      made[jsonName(field)] = true
    } else if (INLINE.includes(field)) Object.assign(made, fromGo(item, context))
    else if (field === 'ObjectMeta' || field === 'ApplicationSetTemplateMeta') {
      made['metadata'] = { ...(made['metadata'] as object), ...(fromGo(item, context) as object) }
    } else made[jsonName(field)] = fromGo(item, context)
  }
  // An embedded name that is set on the outside wins.
  if ('metadata' in made && typeof made['name'] === 'string') {
    made['metadata'] = { ...(made['metadata'] as object), name: made['name'] }
    delete made['name']
  }
  return made
}

function fromCall(value: { readonly [key: string]: GoValue }, context: Context): unknown {
  const name = wordOf(value['$call'])
  const args = Array.isArray(value['args']) ? (value['args'] as readonly GoValue[]) : []
  if (name === 'fixture.RepoURL') return context.repoURL(wordOf(args[0]))
  if (name === 'fixture.AppNamespace' || name === 'AppNamespace') return context.externalNamespace
  if (name === 'regexp.MustCompile') return fromGo(args[0] ?? null, context)
  // A conversion to a named type.
  if (args.length === 1 && /^[A-Z]\w*$/.test(name)) return fromGo(args[0] ?? null, context)
  throw new Lost(`what ${name} answers`)
}

/** Splits `app.Spec.Source.Helm` into the path that JSON has: Go's embedded parts are spelled out. */
export function pathOf(expression: string): readonly string[] {
  const [, ...fields] = expression.replaceAll('.GetSource()', '.Source').split('.')
  const path: string[] = []
  for (const field of fields) {
    if (field === 'ObjectMeta' || field === 'TypeMeta') continue
    if (['Annotations', 'Labels', 'Finalizers'].includes(field)) path.push('metadata')
    path.push(jsonName(field))
  }
  return path
}

/** An object with the value at a path; undefined removes it. */
export function withValue(object: unknown, path: readonly string[], value: unknown): Record<string, unknown> {
  const [name, ...rest] = path
  const copy: Record<string, unknown> = { ...(object as Record<string, unknown> | undefined) }
  if (name === undefined) return copy
  if (rest.length > 0) copy[name] = withValue(copy[name], rest, value)
  else if (value === undefined || value === null) delete copy[name]
  else copy[name] = value
  return copy
}
