import type { KubeObject } from './object.ts'
import { addQuantity, compareQuantity, parseQuantity, type Quantity } from './quantity.ts'

/** The parts of a Pod's spec that are read outside the kubelet. Everything else passes through untouched. */
export interface PodSpec {
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly ephemeralContainers?: readonly Container[]
  readonly volumes?: readonly Volume[]
  readonly nodeName?: string
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly priorityClassName?: string
  readonly priority?: number
  readonly preemptionPolicy?: string
  readonly serviceAccountName?: string
  readonly automountServiceAccountToken?: boolean
  readonly imagePullSecrets?: readonly { readonly name?: string }[]
  readonly restartPolicy?: string
  readonly terminationGracePeriodSeconds?: number
  readonly activeDeadlineSeconds?: number
  readonly tolerations?: readonly Toleration[]
  readonly overhead?: ResourceList
  readonly resources?: ResourceRequirements
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly os?: { readonly name?: string }
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export interface Container {
  readonly name: string
  readonly image?: string
  readonly restartPolicy?: string
  readonly resources?: ResourceRequirements
  readonly ports?: readonly {
    readonly hostPort?: number
    readonly containerPort?: number
    readonly protocol?: string
    readonly name?: string
  }[]
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly [field: string]: unknown
  }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export interface Volume {
  readonly name: string
  readonly [source: string]: unknown
}

export interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly value?: string
  readonly effect?: string
  readonly tolerationSeconds?: number
}

/** Resource names to quantities as they are written. */
export type ResourceList = Readonly<Record<string, string | number>>

export interface ResourceRequirements {
  readonly requests?: ResourceList
  readonly limits?: ResourceList
}

/** The spec of a Pod. */
export function podSpecOf(pod: KubeObject): PodSpec {
  return (pod['spec'] ?? {}) as PodSpec
}

/** The phase a Pod reports. */
export function podPhaseOf(pod: KubeObject): string {
  return (pod['status'] as { readonly phase?: string } | undefined)?.phase ?? 'Pending'
}

/** Tells whether a Pod has run to its end: it holds no resources any more. */
export function isFinished(pod: KubeObject): boolean {
  const phase = podPhaseOf(pod)
  return phase === 'Succeeded' || phase === 'Failed'
}

/** An init container that keeps running beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always'
}

/** Amounts by resource name. */
export type Amounts = ReadonlyMap<string, Quantity>

/** Reads a resource list; entries that are no quantities are left out, validation has refused them before. */
export function amountsOf(list: ResourceList | undefined): Amounts {
  const amounts = new Map<string, Quantity>()
  for (const [name, text] of Object.entries(list ?? {})) {
    const read = parseQuantity(String(text))
    if (read.ok) amounts.set(name, read.value)
  }
  return amounts
}

/** Sums name by name. */
export function addAmounts(a: Amounts, b: Amounts): Amounts {
  if (b.size === 0) return a
  const sum = new Map(a)
  for (const [name, amount] of b) {
    const before = sum.get(name)
    sum.set(name, before ? addQuantity(before, amount) : amount)
  }
  return sum
}

/** The larger of each. */
export function largestAmounts(a: Amounts, b: Amounts): Amounts {
  if (b.size === 0) return a
  const largest = new Map(a)
  for (const [name, amount] of b) {
    const before = largest.get(name)
    if (!before || compareQuantity(before, amount) < 0) largest.set(name, amount)
  }
  return largest
}

const none: Amounts = new Map()

/**
 * What a Pod asks of a node: its containers and sidecars together, or an init container with the sidecars started before
 * it where that is more, and its overhead. Pod-level amounts replace the sum of the containers.
 */
export function podAmounts(spec: PodSpec, which: 'requests' | 'limits'): Amounts {
  const of = (container: Container): Amounts => amountsOf(container.resources?.[which])
  let running = (spec.containers ?? []).reduce((sum, container) => addAmounts(sum, of(container)), none)
  let sidecars = none
  let starting = none
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) sidecars = addAmounts(sidecars, of(container))
    starting = largestAmounts(starting, isSidecar(container) ? sidecars : addAmounts(sidecars, of(container)))
  }
  running = largestAmounts(addAmounts(running, sidecars), starting)
  const podLevel = amountsOf(spec.resources?.[which])
  if (podLevel.size > 0) running = new Map([...running, ...podLevel])
  const overhead = amountsOf(spec.overhead)
  if (which === 'requests') return addAmounts(running, overhead)
  return addAmounts(running, new Map([...overhead].filter(([name]) => running.has(name))))
}

/** Best effort means: no container asks for or is limited in cpu or memory. */
export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  const compute = ['cpu', 'memory'] as const
  const positive = (amount: Quantity | undefined): boolean => amount !== undefined && amount.nano > 0n
  let isEmpty = true
  let isGuaranteed = containers.length > 0
  for (const container of containers) {
    const requests = amountsOf(container.resources?.requests)
    const limits = amountsOf(container.resources?.limits)
    for (const name of compute) {
      const request = requests.get(name) ?? limits.get(name)
      const limit = limits.get(name)
      if (positive(request) || positive(limit)) isEmpty = false
      if (!positive(limit) || !request || !limit || compareQuantity(request, limit) !== 0) isGuaranteed = false
    }
  }
  return isEmpty ? 'BestEffort' : isGuaranteed ? 'Guaranteed' : 'Burstable'
}
