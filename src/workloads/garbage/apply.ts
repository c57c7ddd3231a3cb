import type { Client, Target } from '../../kube/client.ts'
import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import type { ApiResult } from '../../kube/status.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { TurnContext } from '../../runtime/controller.ts'
import type { Node } from './graph.ts'
import type { Action } from './plan.ts'
import { observeLive } from './observe.ts'

/** Carries one decision out, unless the object has changed since; answers what stood in the way. */
export async function applyAction(
  action: Action,
  decided: { readonly object: KubeObject; readonly node: Node },
  client: Client,
  { log, signal }: TurnContext,
): Promise<string | undefined> {
  const { node } = action
  const live = node.uid === decided.node.uid ? decided : await observeLive(node, client, signal)
  if (!live) return undefined
  const done = await write(action, live.object, client, signal)
  if (!done.ok) return done.error.reason === 'NotFound' ? undefined : `${done.error.reason}: ${done.error.message}`
  const { resource, namespace, name } = node
  log.info('collecting garbage', { do: action.do, resource: resource.plural, namespace, name, because: action.because })
  return undefined
}

function write(action: Action, object: KubeObject, client: Client, signal: AbortSignal): Promise<ApiResult<unknown>> {
  const { uid, resourceVersion, ownerReferences = [], finalizers = [] } = object.metadata
  const { resource, namespace, name } = action.node
  const target: Target = { resource, ...(namespace === undefined ? {} : { namespace }), name }
  const change = (metadata: JsonObject): Promise<ApiResult<unknown>> => {
    const body: Json = { metadata: { uid: uid ?? null, resourceVersion: resourceVersion ?? null, ...metadata } }
    return client.patch(target, { type: 'merge', body }, { signal })
  }
  switch (action.do) {
    case 'delete':
      return client.delete(target, {
        propagationPolicy: action.propagation,
        preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
        signal,
      })
    case 'remove-owners':
      return change({ ownerReferences: listed(ownerReferences.filter((owner) => !action.uids.includes(owner.uid))) })
    case 'unblock-owners':
      return change({ ownerReferences: listed(ownerReferences.map(unblocked)) })
    case 'remove-finalizer':
      return change({ finalizers: listed(finalizers.filter((finalizer) => finalizer !== action.finalizer)) })
  }
}

const unblocked = (owner: OwnerReference): OwnerReference =>
  owner.blockOwnerDeletion ? { ...owner, blockOwnerDeletion: false } : owner

/** A merge patch removes with null. */
const listed = (list: readonly unknown[]): Json => (list.length === 0 ? null : (list as readonly Json[])) // from JSON
