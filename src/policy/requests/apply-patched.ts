import type { Client, Target } from '../../kube/client.ts'
import { isEqual } from '../../lib/json.ts'
import type { RuleResponse } from '../engine/rule-response.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'

/** Writes what a rule makes of an existing object; answers why it could not. */
export async function applyPatched(
  { before, after, subresource }: NonNullable<RuleResponse['patchedTarget']>,
  { client, served }: { readonly client: Client; readonly served: ServedKinds },
  signal: AbortSignal,
): Promise<string | undefined> {
  if (isEqual(before, after)) return undefined
  const info = await served.find(after.apiVersion, after.kind)
  if (!info) return `the cluster does not serve ${after.kind} in ${after.apiVersion}`
  const target: Target = {
    resource: info,
    ...(info.namespaced ? { namespace: after.metadata.namespace ?? 'default' } : {}),
    name: after.metadata.name ?? '',
    ...(subresource ? { subresource } : {}),
  }
  const answer = await client.update(target, after, { signal, fieldManager: 'kyverno' })
  return answer.ok ? undefined : answer.error.message
}
