import type { Json } from '../../../lib/json.ts'
import type { FactNeed } from '../../engine/fact.ts'
import { RuleFailure } from '../evaluation.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../read.ts'
import { templateOf } from '../variables/template.ts'
import { dottedParts, withDotted } from './dotted.ts'
import type { Scope } from './scope.ts'

/** Which rule a context belongs to. */
export interface ContextOwner {
  readonly policy: string
  readonly rule: string
  /** The namespace of the policy, which bounds what its context may read. */
  readonly namespace: string | undefined
}

/** Sets up the entries of a context; each is worked out when it is first named. */
export function loadContext(entries: unknown, scope: Scope, owner: ContextOwner): void {
  setValues(scope, owner)
  for (const item of listOf(entries)) {
    const entry = fieldsOf(item)
    const name = textOf(entry['name'])
    const load = loaderOf(entry, name, owner)
    if (!load) continue
    const { absent } = scope.evaluation.world
    if (load.source !== 'none' && load.source.some((source) => absent?.has(source))) continue
    scope.defer(name, load.run)
  }
}

/** The values that an offline run gives for the rule. */
function setValues(scope: Scope, { policy, rule }: ContextOwner): void {
  const values = scope.evaluation.world.values?.(policy, rule)
  if (!values) return
  for (const [name, value] of Object.entries(values)) {
    const [first = name] = dottedParts(name)
    const known = scope.get(first)
    const joined = withDotted(known === undefined ? {} : { [first]: known }, { [name]: value })
    scope.set(first, joined[first])
  }
}

interface Loader {
  readonly source: 'none' | readonly FactNeed['what'][]
  readonly run: (scope: Scope) => unknown
}

function loaderOf(entry: Fields, name: string, owner: ContextOwner): Loader | undefined {
  if (entry['configMap'])
    return { source: ['object'], run: (scope) => configMap(fieldsOf(entry['configMap']), scope, owner) }
  if (entry['apiCall']) {
    const call = fieldsOf(entry['apiCall'])
    return { source: ['api-call', 'service-call'], run: (scope) => apiCall(call, name, scope, owner) }
  }
  if (entry['globalReference'])
    return { source: ['global-context'], run: (scope) => globalReference(fieldsOf(entry['globalReference']), scope) }
  if (entry['imageRegistry'])
    return { source: ['image'], run: (scope) => imageRegistry(fieldsOf(entry['imageRegistry']), scope) }
  if (entry['variable']) return { source: 'none', run: (scope) => variable(fieldsOf(entry['variable']), name, scope) }
  return undefined
}

function filledText(value: unknown, what: string, scope: Scope): string {
  const filled = scope.fill(templateOf(value ?? ''))
  if (typeof filled === 'string') return filled
  throw new RuleFailure('invalid', `${what} must become a text: jmespath value must be a string`)
}

function configMap(entry: Fields, scope: Scope, owner: ContextOwner): unknown {
  const name = filledText(entry['name'], 'the name of a ConfigMap', scope)
  const given = filledText(entry['namespace'], 'the namespace of a ConfigMap', scope)
  const namespace = given === '' ? (owner.namespace ?? 'default') : given
  if (owner.namespace !== undefined && namespace !== owner.namespace) {
    throw new RuleFailure('invalid', `a policy of namespace ${owner.namespace} cannot read a ConfigMap of ${namespace}`)
  }
  const found = scope.evaluation.fact({ what: 'object', apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
  if (found === null) throw new RuleFailure('invalid', `there is no ConfigMap ${namespace}/${name}`)
  const { data, metadata } = fieldsOf(found)
  return { data: data ?? null, metadata: metadata ?? {} }
}

function variable(entry: Fields, name: string, scope: Scope): unknown {
  const path = entry['jmesPath'] ? filledText(entry['jmesPath'], `the jmesPath of ${name}`, scope) : ''
  const fallback = 'default' in entry ? scope.fill(templateOf(entry['default'])) : undefined
  const value = pathValue(entry, path, fallback, scope)
  const result = value ?? fallback
  if (result === null || result === undefined) {
    throw new RuleFailure('invalid', `the context variable ${name} evaluated to nothing: give it a default`)
  }
  return result
}

function pathValue(entry: Fields, path: string, fallback: unknown, scope: Scope): unknown {
  const hasValue = 'value' in entry && entry['value'] !== null
  const value = hasValue ? scope.fill(templateOf(entry['value'])) : undefined
  if (path === '') return value
  try {
    return hasValue ? scope.evaluation.search(path, value) : scope.query(path)
  } catch (failure) {
    if (
      !(failure instanceof RuleFailure) ||
      failure.kind === 'over-budget' ||
      fallback === undefined ||
      fallback === null
    )
      throw failure
    return fallback
  }
}

const NAMESPACE_IN_PATH = /^\/apis?\/.*?\/namespaces\/([^/]+)(?:\/|$)/

function apiCall(entry: Fields, name: string, scope: Scope, owner: ContextOwner): unknown {
  const { jmesPath: _path, default: fallback, ...call } = entry
  const filled = fieldsOf(scope.fill(templateOf(cached(entry, call))))
  const need = callNeed(filled, name, owner)
  if (scope.evaluation.world.absent?.has(need.what))
    throw new RuleFailure('invalid', `${name} cannot be fetched offline`)
  let answer: Json
  try {
    answer = scope.evaluation.fact(need)
  } catch (failure) {
    if (!(failure instanceof RuleFailure) || fallback === undefined) throw failure
    return fallback
  }
  if (!entry['jmesPath']) return answer
  return scope.evaluation.search(filledText(entry['jmesPath'], `the jmesPath of ${name}`, scope), answer)
}

const calls = new WeakMap<object, Fields>()

/** The same call is the same object each time, so that it is read as a template once. */
function cached(entry: Fields, call: Fields): Fields {
  const known = calls.get(entry)
  if (known) return known
  calls.set(entry, call)
  return call
}

function callNeed(call: Fields, name: string, { namespace }: ContextOwner): FactNeed {
  const method = call['method'] === 'POST' ? 'POST' : 'GET'
  const pairs = listOf(call['data']).map(
    (item) => [textOf(fieldsOf(item)['key']), fieldsOf(item)['value'] as Json] as const,
  )
  const body = method === 'POST' ? { body: Object.fromEntries(pairs) } : {}
  const path = textOf(call['urlPath'])
  if (namespace !== undefined) {
    const found = NAMESPACE_IN_PATH.exec(path)
    if (found?.[1] !== namespace)
      throw new RuleFailure(
        'invalid',
        `a policy of namespace ${namespace} can call only paths of that namespace, not ${path}`,
      )
  }
  if (path !== '') return { what: 'api-call', method, path, ...body }
  const service = fieldsOf(call['service'])
  const url = textOf(service['url'])
  if (url === '') throw new RuleFailure('invalid', `the apiCall ${name} needs a urlPath or a service with a url`)
  const headers = listOf(service['headers']).map(
    (item) => [textOf(fieldsOf(item)['key']), textOf(fieldsOf(item)['value'])] as const,
  )
  const caBundle = textOf(service['caBundle'])
  return {
    what: 'service-call',
    method,
    url,
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
    ...body,
    ...(caBundle === '' ? {} : { caBundle }),
  }
}

function globalReference(entry: Fields, scope: Scope): unknown {
  const [name = '', projection = ''] = filledText(entry['name'], 'the name of a global context entry', scope).split('.')
  const need: FactNeed = { what: 'global-context', name, ...(projection === '' ? {} : { projection }) }
  const value = scope.evaluation.fact(need)
  const path = entry['jmesPath'] ? filledText(entry['jmesPath'], 'the jmesPath of a global reference', scope) : ''
  return path === '' ? value : scope.evaluation.search(path, value)
}

function imageRegistry(entry: Fields, scope: Scope): unknown {
  const reference = filledText(entry['reference'], 'an image reference', scope)
  const value = scope.evaluation.fact({ what: 'image', reference })
  const path = entry['jmesPath'] ? filledText(entry['jmesPath'], 'the jmesPath of an image', scope) : ''
  return path === '' ? value : scope.evaluation.search(path, value)
}
