import type { Client, ResourceInfo } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import { type Node, nodeOf, type OwnerGraph } from './graph.ts'
import { FOREGROUND, type Observed, type OwnerState } from './plan.ts'

/** Where owners are looked up. */
export interface OwnerLookup {
  readonly graph: OwnerGraph
  readonly client: Client
  readonly resources: () => readonly ResourceInfo[]
  /** Owners that were looked for and not found. A uid never comes back, so neither do they. */
  readonly absent: Set<string>
}

/** What is known of an object's owners, or why it cannot be known. */
export type SeenOwners =
  | {
      readonly ok: true
      readonly owners: ReadonlyMap<string, OwnerState>
      readonly misplaced: readonly OwnerReference[]
    }
  | { readonly ok: false; readonly because: string }

const ABSENT_REMEMBERED = 10_000

/** The object as the graph has it. Owners that the graph does not know count as gone until they are looked for. */
export function observeInGraph(node: Node, graph: OwnerGraph): Observed {
  const owners = new Map<string, OwnerState>()
  for (const owner of node.owners) {
    const known = graph.node(owner.uid)
    if (known && isReachable(node, known, owner)) owners.set(owner.uid, stateOf(known))
  }
  return { node, owners, dependents: [...graph.dependentsOf(node.uid)] }
}

/** Looks every owner up that the graph does not know, so that nothing is deleted because a cache is late. */
export async function observeOwners(node: Node, lookup: OwnerLookup, signal: AbortSignal): Promise<SeenOwners> {
  const owners = new Map<string, OwnerState>()
  const misplaced: OwnerReference[] = []
  for (const owner of node.owners) {
    const known = lookup.graph.node(owner.uid)
    if (known && isReachable(node, known, owner)) {
      owners.set(owner.uid, stateOf(known))
      continue
    }
    if (known && known.namespace !== undefined && known.namespace !== node.namespace) misplaced.push(owner)
    const looked = await lookUp(node, owner, lookup, signal)
    if (typeof looked === 'object') return { ok: false, because: looked.because }
    owners.set(owner.uid, looked)
  }
  return { ok: true, owners, misplaced }
}

async function lookUp(
  node: Node,
  owner: OwnerReference,
  { client, resources, absent }: OwnerLookup,
  signal: AbortSignal,
): Promise<OwnerState | { readonly because: string }> {
  const { group, version } = parseApiVersion(owner.apiVersion)
  const resource = resources().find(
    (one) => one.group === group && one.version === version && one.kind === owner.kind && one.subresource === undefined,
  )
  // Nobody knows whether an object of an unknown kind is there.
  if (!resource) return { because: `its owner's kind ${owner.apiVersion} ${owner.kind} is not served` }
  if (resource.namespaced && node.namespace === undefined)
    return { because: `its owner ${owner.kind} ${owner.name} lives in a namespace, and it does not` }
  const place = `${node.namespace ?? ''}/${owner.uid}`
  if (absent.has(place)) return 'gone'
  const { plural } = resource
  const found = await client.get(
    {
      resource: { group, version, plural },
      ...(resource.namespaced && node.namespace !== undefined ? { namespace: node.namespace } : {}),
      name: owner.name,
    },
    { signal },
  )
  if (!found.ok && found.error.reason !== 'NotFound')
    return { because: `cannot look for its owner ${owner.kind} ${owner.name}: ${found.error.message}` }
  if (found.ok && found.value.metadata.uid === owner.uid)
    return stateOf(nodeOf({ group, version, plural }, found.value))
  if (absent.size >= ABSENT_REMEMBERED) absent.clear()
  absent.add(place)
  return 'gone'
}

/** The object as it is now, when it is still the same one. */
export async function observeLive(
  node: Node,
  client: Client,
  signal: AbortSignal,
): Promise<{ readonly object: KubeObject; readonly node: Node } | undefined> {
  const { resource, namespace, name } = node
  const found = await client.get({ resource, ...(namespace === undefined ? {} : { namespace }), name }, { signal })
  if (!found.ok) {
    if (found.error.reason === 'NotFound') return undefined
    throw new Error(`cannot read ${resource.plural} ${name}: ${found.error.message}`)
  }
  return found.value.metadata.uid === node.uid
    ? { object: found.value, node: nodeOf(resource, found.value) }
    : undefined
}

/** A reference names kind and name in the dependent's own namespace or in none; another object's uid does not count. */
const isReachable = (node: Node, owner: Node, reference: OwnerReference): boolean =>
  owner.name === reference.name && (owner.namespace === undefined || owner.namespace === node.namespace)

const stateOf = (owner: Node): OwnerState =>
  owner.isDeleting && owner.finalizers.includes(FOREGROUND) ? 'waiting' : 'alive'
