import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject, OwnerReference } from '../../kube/object.ts'

/** An object as the garbage collector sees it: who it is, and who it belongs to. */
export interface Node {
  readonly uid: string
  readonly resource: ResourceId
  readonly namespace: string | undefined
  readonly name: string
  readonly owners: readonly OwnerReference[]
  readonly finalizers: readonly string[]
  readonly isDeleting: boolean
}

/** The node of an object. */
export function nodeOf(resource: ResourceId, object: KubeObject): Node {
  const { uid = '', namespace, name = '', ownerReferences, finalizers, deletionTimestamp } = object.metadata
  return {
    uid,
    resource,
    namespace,
    name,
    owners: ownerReferences ?? [],
    finalizers: finalizers ?? [],
    isDeleting: deletionTimestamp !== undefined,
  }
}

/** Every object by uid, and the dependents of each owner. Owners that were never seen have dependents too. */
export class OwnerGraph {
  readonly #nodes = new Map<string, Node>()
  readonly #dependents = new Map<string, Set<string>>()

  get size(): number {
    return this.#nodes.size
  }

  node(uid: string): Node | undefined {
    return this.#nodes.get(uid)
  }

  *dependentsOf(uid: string): Generator<Node> {
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const node = this.#nodes.get(dependent)
      if (node) yield node
    }
  }

  /** Takes an object in, or its new state; answers the uids that have to be looked at again. */
  set(node: Node): readonly string[] {
    const before = this.#nodes.get(node.uid)
    if (before) this.#unlink(before)
    this.#nodes.set(node.uid, node)
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid) ?? new Set()
      this.#dependents.set(uid, dependents.add(node.uid))
    }
    const touched = new Set([
      node.uid,
      ...node.owners.map(({ uid }) => uid),
      ...(before?.owners ?? []).map(({ uid }) => uid),
    ])
    // Dependents wait for their owner to begin its deletion.
    if (node.isDeleting && before?.isDeleting !== true)
      for (const dependent of this.dependentsOf(node.uid)) touched.add(dependent.uid)
    return [...touched]
  }

  /** Forgets an object; answers the uids that have to be looked at again: its dependents have lost an owner. */
  remove(uid: string): readonly string[] {
    const node = this.#nodes.get(uid)
    if (!node) return []
    this.#unlink(node)
    this.#nodes.delete(uid)
    return [...node.owners.map((owner) => owner.uid), ...[...this.dependentsOf(uid)].map((dependent) => dependent.uid)]
  }

  #unlink(node: Node): void {
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid)
      dependents?.delete(node.uid)
      if (dependents?.size === 0) this.#dependents.delete(uid)
    }
  }
}
