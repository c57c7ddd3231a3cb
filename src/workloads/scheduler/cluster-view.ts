import type { KubeObject } from '../../kube/object.ts'
import { isFinished, podSpecOf } from '../../kube/pod.ts'
import { isEqual } from '../../lib/json.ts'
import type { CacheChange } from '../../runtime/informer.ts'
import type { Caches } from '../pods/caches.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import { type Demand, demandOf } from './demand.ts'
import { type NodeState, nodeState, withoutPod, withPod } from './node.ts'
import type { Snapshot } from './topology.ts'

/**
 * The nodes with what is on them, kept current by small steps; what has just been bound counts before the cache says so.
 * It also counts how often room may have appeared, so that what did not fit is not tried again for nothing.
 */
export class ClusterView {
  readonly #caches: Pick<Caches, 'pods' | 'nodes' | 'namespaces' | 'claims' | 'volumes' | 'classes'>
  readonly #nodes = new Map<string, NodeState>()
  /** Pods that want a node and have none. */
  readonly #pending = new Map<string, KubeObject>()
  /** Those of them for which room is being made. */
  readonly #nominated = new Set<string>()
  /** Where each Pod counts. */
  readonly #places = new Map<string, string>()
  #openings = 0
  #arrivals = 0
  #storage = 0

  constructor(caches: Pick<Caches, 'pods' | 'nodes' | 'namespaces' | 'claims' | 'volumes' | 'classes'>) {
    this.#caches = caches
  }

  /** Moves whenever something left or a node changed: room may have appeared. */
  get openings(): number {
    return this.#openings
  }

  /** Moves whenever a Pod found its place: company may have appeared. */
  get arrivals(): number {
    return this.#arrivals
  }

  /** Moves whenever a claim, a volume or a class changed. */
  get storage(): number {
    return this.#storage
  }

  /** Begins to follow the caches; they must be complete. The returned function stops it. */
  follow(): () => void {
    const leave = [
      this.#caches.nodes.listen((change) => this.#nodeChanged(change)),
      this.#caches.pods.listen((change) => this.#podChanged(change)),
      ...[this.#caches.claims, this.#caches.volumes, this.#caches.classes].map((informer) =>
        informer.listen(() => void (this.#storage += 1)),
      ),
    ]
    return () => leave.forEach((stop) => stop())
  }

  /** Pods to be placed by the scheduler of this name, in no order. */
  pending(schedulerName: string): readonly KubeObject[] {
    return [...this.#pending.values()].filter(
      (pod) => (podSpecOf(pod)['schedulerName'] ?? 'default-scheduler') === schedulerName,
    )
  }

  /** The nodes as they would be if Pods at least as important had already the nodes that they are waiting for. */
  snapshotFor(demand: Demand): Snapshot {
    const nodes = new Map(this.#nodes)
    for (const key of this.#nominated) {
      const pod = this.#pending.get(key)
      if (!pod) continue
      const { nominatedNodeName } = podStatusOf(pod)
      const state = nominatedNodeName ? nodes.get(nominatedNodeName) : undefined
      if (!state || key === demand.key) continue
      const other = demandOf(pod)
      if (other.priority >= demand.priority) nodes.set(state.name, withPod(state, other))
    }
    return {
      nodes: [...nodes.values()],
      namespaceLabels: (namespace) => this.#caches.namespaces.cache.get(`/${namespace}`)?.metadata.labels,
    }
  }

  node(name: string): NodeState | undefined {
    return this.#nodes.get(name)
  }

  /** Counts a Pod on a node at once. */
  assume(demand: Demand, node: string): void {
    this.#pending.delete(demand.key)
    this.#place(demand.key, node, demand)
    this.#arrivals += 1
  }

  /** Takes an assumption back: the write was refused. */
  withdraw(demand: Demand): void {
    this.#unplace(demand.key)
    const pod = this.#caches.pods.cache.get(demand.key)
    if (pod) this.#takePod(demand.key, pod)
  }

  #podChanged({ type, key, object, previous }: CacheChange): void {
    if (type === 'removed') {
      this.#pending.delete(key)
      this.#nominated.delete(key)
      if (this.#unplace(key)) this.#openings += 1
      return
    }
    const isSame = previous && podSpecOf(previous) === podSpecOf(object)
    if (!isSame || isFinished(object)) this.#openings += Number(isFinished(object) && this.#places.has(key))
    this.#takePod(key, object)
  }

  #takePod(key: string, pod: KubeObject): void {
    if (podStatusOf(pod).nominatedNodeName) this.#nominated.add(key)
    else this.#nominated.delete(key)
    const { nodeName } = podSpecOf(pod)
    if (isFinished(pod)) {
      this.#pending.delete(key)
      this.#unplace(key)
    } else if (nodeName) {
      this.#pending.delete(key)
      this.#place(key, nodeName, demandOf(pod))
    } else if (pod.metadata.deletionTimestamp !== undefined) {
      this.#pending.delete(key)
    } else if (!this.#places.has(key)) {
      this.#pending.set(key, pod)
    }
  }

  #place(key: string, node: string, demand: Demand): void {
    const before = this.#places.get(key)
    if (before !== undefined && before !== node) this.#unplace(key)
    this.#places.set(key, node)
    const state = this.#nodes.get(node)
    if (state) this.#nodes.set(node, withPod(state, demand))
  }

  #unplace(key: string): boolean {
    const node = this.#places.get(key)
    if (node === undefined) return false
    this.#places.delete(key)
    const state = this.#nodes.get(node)
    if (state) this.#nodes.set(node, withoutPod(state, key))
    return true
  }

  #nodeChanged({ type, object, previous }: CacheChange): void {
    const name = object.metadata.name ?? ''
    if (type === 'removed') {
      this.#nodes.delete(name)
      this.#openings += 1
      return
    }
    const bare = nodeState(object)
    if (previous && isEqual(bare, nodeState(previous))) return
    this.#openings += 1
    let state = bare
    for (const pod of this.#caches.pods.cache.by('node', name)) {
      if (!isFinished(pod)) state = withPod(state, demandOf(pod))
    }
    const known = this.#nodes.get(name)
    for (const [key, demand] of known?.pods ?? []) if (this.#places.get(key) === name) state = withPod(state, demand)
    this.#nodes.set(name, state)
  }
}
