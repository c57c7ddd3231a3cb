import type { KubeObject } from '../../kube/object.ts'
import { controllerOf } from '../../kube/owner.ts'
import { type Amounts, podAmounts, type PodSpec, podSpecOf, type Toleration } from '../../kube/pod.ts'
import { milliOf, unitsOf } from '../../kube/quantity.ts'
import { compileSelector, type LabelSelector, type LabelSelectorObject } from '../../kube/selector.ts'

import { claimNamesOf } from '../volumes/pod-claims.ts'

/** Amounts as plain numbers for the hot path: thousandths of cpu, whole units of everything else. */
export type Numbers = ReadonlyMap<string, number>

/** Turns exact amounts into the scheduler's numbers. */
export function numbersOf(amounts: Amounts): Numbers {
  const numbers = new Map<string, number>()
  for (const [name, amount] of amounts) numbers.set(name, name === 'cpu' ? milliOf(amount) : unitsOf(amount))
  return numbers
}

/** One way in which a node's labels or name must be. */
export interface NodeRequirement {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}

/** All expressions of a term must hold; one term of several is enough. */
export interface NodeTerm {
  readonly matchExpressions: readonly NodeRequirement[]
  readonly matchFields: readonly NodeRequirement[]
}

export interface PreferredNodeTerm {
  readonly weight: number
  readonly preference: NodeTerm
}

/** Pods near which, or away from which, a Pod wants to be. */
export interface PodTerm {
  readonly topologyKey: string
  readonly selector: LabelSelector | undefined
  /** The namespaces meant; undefined where a selector over namespaces decides. */
  readonly namespaces: ReadonlySet<string> | undefined
  readonly namespaceSelector: LabelSelector | undefined
}

export interface WeightedPodTerm {
  readonly weight: number
  readonly term: PodTerm
}

export interface SpreadConstraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly isHard: boolean
  readonly selector: LabelSelector
  readonly honoursAffinity: boolean
  readonly honoursTaints: boolean
}

export interface HostPort {
  readonly port: number
  readonly protocol: string
  readonly address: string
}

/** Everything about a Pod that placing it depends on, read once. */
export interface Demand {
  readonly pod: KubeObject
  readonly key: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly priority: number
  readonly mayPreempt: boolean
  readonly createdAt: string
  readonly requests: Numbers
  readonly nodeName: string | undefined
  readonly nodeSelector: readonly (readonly [string, string])[]
  readonly nodeTerms: readonly NodeTerm[] | undefined
  readonly preferredNodes: readonly PreferredNodeTerm[]
  readonly tolerations: readonly Toleration[]
  readonly hostPorts: readonly HostPort[]
  readonly affinity: readonly PodTerm[]
  readonly antiAffinity: readonly PodTerm[]
  readonly preferredAffinity: readonly WeightedPodTerm[]
  readonly preferredAntiAffinity: readonly WeightedPodTerm[]
  readonly spread: readonly SpreadConstraint[]
  readonly claims: readonly string[]
  /** The uid of what controls the Pod: its siblings are spread where nothing else is asked for. */
  readonly controller: string | undefined
}

interface RawNodeTerm {
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
  readonly matchFields?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

interface RawPodTerm {
  readonly topologyKey: string
  readonly labelSelector?: LabelSelectorObject
  readonly namespaces?: readonly string[]
  readonly namespaceSelector?: LabelSelectorObject
  readonly matchLabelKeys?: readonly string[]
  readonly mismatchLabelKeys?: readonly string[]
}

interface RawPodRules {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly RawPodTerm[]
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly weight: number
    readonly podAffinityTerm: RawPodTerm
  }[]
}

interface RawAffinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: readonly RawNodeTerm[] }
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      readonly weight: number
      readonly preference: RawNodeTerm
    }[]
  }
  readonly podAffinity?: RawPodRules
  readonly podAntiAffinity?: RawPodRules
}

interface RawSpread {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains?: number
  readonly whenUnsatisfiable: string
  readonly labelSelector?: LabelSelectorObject
  readonly matchLabelKeys?: readonly string[]
  readonly nodeAffinityPolicy?: string
  readonly nodeTaintsPolicy?: string
}

const cache = new WeakMap<KubeObject, Demand>()

/** Reads a Pod; the answer is kept for as long as this state of the Pod is. */
export function demandOf(pod: KubeObject): Demand {
  const known = cache.get(pod)
  if (known) return known
  const demand = readDemand(pod)
  cache.set(pod, demand)
  return demand
}

function readDemand(pod: KubeObject): Demand {
  const spec = podSpecOf(pod)
  const { namespace = '', name = '', labels = {}, creationTimestamp = '' } = pod.metadata
  const affinity = (spec['affinity'] ?? {}) as RawAffinity
  const near = podRules(affinity.podAffinity, namespace, labels)
  const away = podRules(affinity.podAntiAffinity, namespace, labels)
  const required = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return {
    pod,
    key: `${namespace}/${name}`,
    namespace,
    labels,
    priority: spec.priority ?? 0,
    mayPreempt: spec.preemptionPolicy !== 'Never',
    createdAt: creationTimestamp,
    requests: numbersOf(podAmounts(spec, 'requests')),
    nodeName: spec.nodeName || undefined,
    nodeSelector: Object.entries(spec.nodeSelector ?? {}),
    nodeTerms: required?.map(nodeTerm),
    preferredNodes: (affinity.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, preference }) => ({
        weight,
        preference: nodeTerm(preference),
      }),
    ),
    tolerations: spec.tolerations ?? [],
    hostPorts: hostPortsOf(spec),
    affinity: near.required,
    antiAffinity: away.required,
    preferredAffinity: near.preferred,
    preferredAntiAffinity: away.preferred,
    spread: ((spec['topologySpreadConstraints'] ?? []) as readonly RawSpread[]).map((raw) =>
      spreadConstraint(raw, labels),
    ),
    claims: claimNamesOf(pod),
    controller: controllerOf(pod)?.uid,
  }
}

const nodeTerm = ({ matchExpressions = [], matchFields = [] }: RawNodeTerm): NodeTerm => ({
  matchExpressions: matchExpressions.map((expression) => ({ ...expression, values: expression.values ?? [] })),
  matchFields: matchFields.map((expression) => ({ ...expression, values: expression.values ?? [] })),
})

function hostPortsOf(spec: PodSpec): readonly HostPort[] {
  return (spec.containers ?? []).flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, protocol = 'TCP', ...port }) =>
      hostPort
        ? [{ port: hostPort, protocol, address: (port as { readonly hostIP?: string }).hostIP ?? '0.0.0.0' }]
        : [],
    ),
  )
}

function podRules(
  rules: RawPodRules | undefined,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): { readonly required: readonly PodTerm[]; readonly preferred: readonly WeightedPodTerm[] } {
  return {
    required: (rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((raw) =>
      podTerm(raw, namespace, labels),
    ),
    preferred: (rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({
      weight,
      term: podTerm(podAffinityTerm, namespace, labels),
    })),
  }
}

/** Invalid selectors select nothing; the API server refuses them before they come here. */
function selectorOf(raw: LabelSelectorObject | undefined): LabelSelector | undefined {
  const compiled = raw && compileSelector(raw)
  return compiled?.ok ? compiled.value : undefined
}

/** Requirements that a Pod puts on others by its own label values, such as its template hash. */
function byOwnLabels(
  keys: readonly string[] | undefined,
  labels: Readonly<Record<string, string>>,
  operator: 'in' | 'notin',
): LabelSelector {
  return (keys ?? []).flatMap((key) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    return value === undefined ? [] : [{ key, operator, values: new Set([value]) }]
  })
}

function podTerm(raw: RawPodTerm, namespace: string, labels: Readonly<Record<string, string>>): PodTerm {
  const named = raw.namespaces ?? []
  const namespaceSelector = selectorOf(raw.namespaceSelector)
  const base = selectorOf(raw.labelSelector)
  const selector = base && [
    ...base,
    ...byOwnLabels(raw.matchLabelKeys, labels, 'in'),
    ...byOwnLabels(raw.mismatchLabelKeys, labels, 'notin'),
  ]
  const own = named.length === 0 && !raw.namespaceSelector ? [namespace] : named
  return { topologyKey: raw.topologyKey, selector, namespaces: new Set(own), namespaceSelector }
}

function spreadConstraint(raw: RawSpread, labels: Readonly<Record<string, string>>): SpreadConstraint {
  return {
    topologyKey: raw.topologyKey,
    maxSkew: raw.maxSkew,
    minDomains: raw.minDomains ?? 1,
    isHard: raw.whenUnsatisfiable !== 'ScheduleAnyway',
    selector: [...(selectorOf(raw.labelSelector) ?? []), ...byOwnLabels(raw.matchLabelKeys, labels, 'in')],
    honoursAffinity: raw.nodeAffinityPolicy !== 'Ignore',
    honoursTaints: raw.nodeTaintsPolicy === 'Honor',
  }
}
