import type { Client, ResourceInfo } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import { controllerOf } from '../../kube/owner.ts'
import type { Observed } from './plan.ts'

/** How many Pods the owners of the Pods want, asked through their scale. */
export async function observeWanted(
  pods: readonly KubeObject[],
  namespace: string,
  client: Client,
  signal: AbortSignal,
): Promise<NonNullable<Observed['wanted']>> {
  const served = await client.discover({ signal })
  if (!served.ok) return { ok: false, because: served.error.message }
  const counts = new Map<string, number>()
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) return { ok: false, because: `found no controller ref for pod ${JSON.stringify(pod.metadata.name)}` }
    if (counts.has(owner.uid)) continue
    const found = await scaleOf(owner, namespace, served.value, client, signal)
    if (!found.ok) return found
    counts.set(owner.uid, 0)
    counts.set(found.uid, found.replicas)
  }
  return { ok: true, count: [...counts.values()].reduce((sum, count) => sum + count, 0) }
}

type Scale =
  | { readonly ok: true; readonly uid: string; readonly replicas: number }
  | { readonly ok: false; readonly because: string }

async function scaleOf(
  owner: OwnerReference,
  namespace: string,
  served: readonly ResourceInfo[],
  client: Client,
  signal: AbortSignal,
): Promise<Scale> {
  const { group, version } = parseApiVersion(owner.apiVersion)
  const isOwners = (one: ResourceInfo): boolean => one.group === group && one.version === version
  const resource = served.find((one) => isOwners(one) && one.kind === owner.kind && one.subresource === undefined)
  if (!resource) return { ok: false, because: `${owner.apiVersion} ${owner.kind} is not served` }
  const { plural } = resource
  const target = { resource: { group, version, plural }, namespace, name: owner.name }
  const object = await client.get(target, { signal })
  if (!object.ok) return { ok: false, because: object.error.message }
  // A ReplicaSet does what its Deployment wants.
  const above = controllerOf(object.value)
  if (owner.kind === 'ReplicaSet' && above) return scaleOf(above, namespace, served, client, signal)
  if (!served.some((one) => isOwners(one) && one.plural === plural && one.subresource === 'scale')) {
    const name = group === '' ? plural : `${plural}.${group}`
    return { ok: false, because: `${name} does not implement the scale subresource` }
  }
  const scale = await client.get({ ...target, subresource: 'scale' }, { signal })
  if (!scale.ok) return { ok: false, because: scale.error.message }
  const { replicas = 0 } = (scale.value['spec'] ?? {}) as { readonly replicas?: number }
  return { ok: true, uid: object.value.metadata.uid ?? '', replicas }
}
