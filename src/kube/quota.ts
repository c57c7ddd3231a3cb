import type { KubeObject } from './object.ts'
import {
  type Amounts,
  addAmounts,
  amountsOf,
  isFinished,
  podAmounts,
  type PodSpec,
  podSpecOf,
  qosClassOf,
  type ResourceList,
} from './pod.ts'
import { compareQuantity, formatQuantity, quantityOf, subtractQuantity } from './quantity.ts'

/** The part of a ResourceQuota that is decided by. */
export interface QuotaSpec {
  readonly hard?: ResourceList
  readonly scopes?: readonly string[]
  readonly scopeSelector?: { readonly matchExpressions?: readonly ScopeRequirement[] }
}

export interface ScopeRequirement {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** What quota counts about one object: the collection it is in, and the object. */
export interface Counted {
  readonly group: string
  readonly plural: string
  readonly object: KubeObject
}

const one = quantityOf(1)
/** Core kinds that older quotas count by their bare plural. */
const countedByPlural = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
])
const plainCompute = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** What one object uses, by the names that quotas use. */
export function usageOf({ group, plural, object }: Counted, nowMs: number): Amounts {
  const usage = new Map([[`count/${plural}${group === '' ? '' : `.${group}`}`, one]])
  if (group !== '') return usage
  if (countedByPlural.has(plural)) usage.set(plural, one)
  if (plural === 'pods') return addAmounts(usage, podUsage(object, nowMs))
  if (plural === 'services') return addAmounts(usage, serviceUsage(object))
  if (plural === 'persistentvolumeclaims') return addAmounts(usage, claimUsage(object))
  return usage
}

function podUsage(pod: KubeObject, nowMs: number): Amounts {
  if (isFinished(pod) || isOverdue(pod, nowMs)) return new Map()
  const spec = podSpecOf(pod)
  const usage = new Map([['pods', one]])
  for (const [name, amount] of podAmounts(spec, 'requests')) {
    usage.set(`requests.${name}`, amount)
    if (plainCompute.has(name) || name.startsWith('hugepages-')) usage.set(name, amount)
  }
  for (const [name, amount] of podAmounts(spec, 'limits')) {
    if (plainCompute.has(name)) usage.set(`limits.${name}`, amount)
  }
  return usage
}

/** A Pod that should be gone by now no longer counts: a lost node must not eat the quota. */
function isOverdue(pod: KubeObject, nowMs: number): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false
  return nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

function serviceUsage(service: KubeObject): Amounts {
  const spec = (service['spec'] ?? {}) as {
    readonly type?: string
    readonly ports?: readonly unknown[]
    readonly allocateLoadBalancerNodePorts?: boolean
  }
  const ports = quantityOf(spec.ports?.length ?? 0)
  if (spec.type === 'NodePort') return new Map([['services.nodeports', ports]])
  if (spec.type !== 'LoadBalancer') return new Map()
  const usage = new Map([['services.loadbalancers', one]])
  if (spec.allocateLoadBalancerNodePorts !== false) usage.set('services.nodeports', ports)
  return usage
}

function claimUsage(claim: KubeObject): Amounts {
  const spec = (claim['spec'] ?? {}) as {
    readonly storageClassName?: string
    readonly resources?: { readonly requests?: ResourceList }
  }
  const storage = amountsOf(spec.resources?.requests).get('storage')
  const usage = new Map(storage ? [['requests.storage', storage]] : [])
  if (spec.storageClassName) {
    const prefix = `${spec.storageClassName}.storageclass.storage.k8s.io`
    usage.set(`${prefix}/persistentvolumeclaims`, one)
    if (storage) usage.set(`${prefix}/requests.storage`, storage)
  }
  return usage
}

/** Tells whether a quota's scopes include an object; only Pods have scopes, so a scoped quota counts nothing else. */
export function inScope(spec: QuotaSpec, counted: Counted): boolean {
  const requirements: readonly ScopeRequirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ]
  if (requirements.length === 0) return true
  if (counted.plural !== 'pods' || counted.group !== '') return false
  const pod = podSpecOf(counted.object)
  return requirements.every((requirement) => isInPodScope(pod, requirement))
}

function isInPodScope(pod: PodSpec, requirement: ScopeRequirement): boolean {
  switch (requirement.scopeName) {
    case 'Terminating':
      return pod.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return pod.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return qosClassOf(pod) === 'BestEffort'
    case 'NotBestEffort':
      return qosClassOf(pod) !== 'BestEffort'
    case 'PriorityClass':
      return matchesPriority(pod.priorityClassName ?? '', requirement)
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod)
    default:
      return false
  }
}

function matchesPriority(name: string, { operator, values = [] }: ScopeRequirement): boolean {
  switch (operator) {
    case 'In':
      return values.includes(name)
    case 'NotIn':
      return !values.includes(name)
    case 'Exists':
      return name !== ''
    case 'DoesNotExist':
      return name === ''
    default:
      return false
  }
}

function reachesOtherNamespaces(pod: PodSpec): boolean {
  interface Term {
    readonly namespaces?: readonly string[]
    readonly namespaceSelector?: unknown
  }
  interface Rules {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly Term[]
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly { readonly podAffinityTerm?: Term }[]
  }
  const affinity = (pod['affinity'] ?? {}) as { readonly podAffinity?: Rules; readonly podAntiAffinity?: Rules }
  return [affinity.podAffinity, affinity.podAntiAffinity].some((rules) =>
    [
      ...(rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((preferred) => preferred.podAffinityTerm),
    ].some((term) => (term?.namespaces?.length ?? 0) > 0 || term?.namespaceSelector !== undefined),
  )
}

/** What a whole namespace uses of the things that a quota limits; all of them are named, unused ones with zero. */
export function totalUsage(spec: QuotaSpec, objects: Iterable<Counted>, nowMs: number): Amounts {
  let total: Amounts = new Map()
  for (const counted of objects) {
    if (inScope(spec, counted)) total = addAmounts(total, usageOf(counted, nowMs))
  }
  const zero = quantityOf(0)
  return new Map(Object.keys(spec.hard ?? {}).map((name) => [name, total.get(name) ?? zero]))
}

/** Why a change does not fit, or what the quota's usage becomes when it does. */
export type QuotaDecision =
  | { readonly fits: true; readonly used: Amounts | undefined }
  | { readonly fits: false; readonly because: string }

export interface QuotaChange {
  readonly name: string
  readonly spec: QuotaSpec
  readonly used: Amounts
  readonly before: Counted | undefined
  readonly after: Counted
  readonly nowMs: number
}

/** Decides whether one write fits into one quota. */
export function planQuota({ name, spec, used, before, after, nowMs }: QuotaChange): QuotaDecision {
  if (!inScope(spec, after)) return { fits: true, used: undefined }
  const hard = amountsOf(spec.hard)
  const unspecified = after.plural === 'pods' && after.group === '' ? missingAmounts(podSpecOf(after.object), hard) : []
  if (unspecified.length > 0)
    return { fits: false, because: `failed quota: ${name}: must specify ${unspecified.join('; ')}` }
  const old = before && inScope(spec, before) ? usageOf(before, nowMs) : new Map<string, never>()
  const requested = new Map(
    [...usageOf(after, nowMs)].flatMap(([key, amount]) => {
      const earlier = old.get(key)
      const more = earlier ? subtractQuantity(amount, earlier) : amount
      return hard.has(key) && more.nano > 0n ? [[key, more] as const] : []
    }),
  )
  if (requested.size === 0) return { fits: true, used: undefined }
  const next = addAmounts(used, requested)
  const exceeded = [...requested.keys()].filter((key) => isAbove(next, hard, key)).toSorted()
  if (exceeded.length === 0) return { fits: true, used: next }
  const text = (amounts: Amounts): string =>
    exceeded.map((key) => `${key}=${formatQuantity(amounts.get(key) ?? quantityOf(0))}`).join(',')
  return {
    fits: false,
    because: `exceeded quota: ${name}, requested: ${text(requested)}, used: ${text(used)}, limited: ${text(hard)}`,
  }
}

function isAbove(amounts: Amounts, limits: Amounts, key: string): boolean {
  const amount = amounts.get(key)
  const limit = limits.get(key)
  return amount !== undefined && limit !== undefined && compareQuantity(amount, limit) > 0
}

const constrained: readonly (readonly [string, 'requests' | 'limits', string])[] = [
  ['limits.cpu', 'limits', 'cpu'],
  ['limits.memory', 'limits', 'memory'],
  ['requests.cpu', 'requests', 'cpu'],
  ['cpu', 'requests', 'cpu'],
  ['requests.memory', 'requests', 'memory'],
  ['memory', 'requests', 'memory'],
]

/** Where a quota limits cpu or memory, every container must say how much it wants. */
function missingAmounts(pod: PodSpec, hard: Amounts): readonly string[] {
  const containers = [...(pod.containers ?? []), ...(pod.initContainers ?? [])]
  return constrained.flatMap(([key, which, resource]) => {
    if (!hard.has(key) || pod.resources?.[which]?.[resource] !== undefined) return []
    const silent = containers.filter((container) => container.resources?.[which]?.[resource] === undefined)
    return silent.length === 0 ? [] : [`${key} for: ${silent.map((container) => container.name).join(',')}`]
  })
}

/** Amounts as a status carries them. */
export function formatAmounts(amounts: Amounts): Readonly<Record<string, string>> {
  return Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]))
}
