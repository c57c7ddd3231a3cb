import type { Client, Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { createMergePatch } from '../../kube/patch/merge-patch.ts'
import { failure, type ApiResult } from '../../kube/status.ts'
import type { Json } from '../../lib/json.ts'
import type { Impact } from './action.ts'

/** What an action's writes need. */
export interface ActionPorts {
  readonly client: Client
  /** Where an object belongs; undefined when its kind is not served. */
  readonly targetOf: (object: KubeObject) => Target | undefined
}

/** Carries out one impact of an action on the object that it was made from. */
export async function applyImpact(
  { operation, object }: Impact,
  live: KubeObject,
  { client, targetOf }: ActionPorts,
): Promise<ApiResult<unknown>> {
  const target = targetOf(object)
  if (!target) return { ok: false, error: failure('NotFound', `${object.kind} is not served by the cluster`) }
  if (operation === 'create') return client.create(target, object)
  if (operation === 'delete') return client.delete(target)
  return patchObject(target, live, object, client)
}

/** What controllers report is written by an endpoint of its own. */
async function patchObject(
  target: Target,
  live: KubeObject,
  next: KubeObject,
  client: Client,
): Promise<ApiResult<unknown>> {
  const patch = createMergePatch(live, next)
  if (!patch.ok)
    return { ok: false, error: failure('Invalid', patch.error[0]?.message ?? 'the object cannot be patched') }
  const { status, ...rest } = patch.value
  let answer: ApiResult<unknown> = { ok: true, value: live }
  if (Object.keys(rest).length > 0) answer = await client.patch(target, { type: 'merge', body: rest as Json })
  if (!answer.ok || status === undefined) return answer
  return client.patch({ ...target, subresource: 'status' }, { type: 'merge', body: { status } as Json })
}
