import type { KubeObject } from '../../kube/object.ts'
import { amountsOf, type ResourceList } from '../../kube/pod.ts'
import { type Demand, numbersOf, type Numbers } from './demand.ts'

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

/** What a node offers, and what of it is taken. */
export interface NodeState {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly isUnschedulable: boolean
  readonly allocatable: Numbers
  readonly pods: ReadonlyMap<string, Demand>
  readonly taken: Numbers
  /** Those of the Pods that do not want some others near them. */
  readonly repelling: readonly Demand[]
}

interface RawNode {
  readonly spec?: { readonly taints?: readonly Taint[]; readonly unschedulable?: boolean }
  readonly status?: { readonly allocatable?: ResourceList; readonly capacity?: ResourceList }
}

/** A node as it is without Pods. */
export function nodeState(node: KubeObject): NodeState {
  const { spec = {}, status = {} } = node as unknown as RawNode
  return {
    name: node.metadata.name ?? '',
    labels: node.metadata.labels ?? {},
    taints: spec.taints ?? [],
    isUnschedulable: spec.unschedulable === true,
    allocatable: numbersOf(amountsOf(status.allocatable ?? status.capacity)),
    pods: new Map(),
    taken: new Map(),
    repelling: [],
  }
}

function shifted(taken: Numbers, requests: Numbers, sign: 1 | -1): Numbers {
  const next = new Map(taken)
  for (const [name, amount] of requests) next.set(name, (next.get(name) ?? 0) + sign * amount)
  return next
}

/** The node with a Pod more; the same node where the Pod is there already. */
export function withPod(node: NodeState, demand: Demand): NodeState {
  const before = node.pods.get(demand.key)
  if (before === demand) return node
  const base = before ? withoutPod(node, before.key) : node
  return {
    ...base,
    pods: new Map(base.pods).set(demand.key, demand),
    taken: shifted(base.taken, demand.requests, 1),
    repelling: demand.antiAffinity.length > 0 ? [...base.repelling, demand] : base.repelling,
  }
}

/** The node with a Pod less. */
export function withoutPod(node: NodeState, key: string): NodeState {
  const demand = node.pods.get(key)
  if (!demand) return node
  const pods = new Map(node.pods)
  pods.delete(key)
  const repelling = demand.antiAffinity.length > 0 ? node.repelling.filter((one) => one !== demand) : node.repelling
  return { ...node, pods, taken: shifted(node.taken, demand.requests, -1), repelling }
}
