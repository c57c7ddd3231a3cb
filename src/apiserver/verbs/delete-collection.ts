import type { KubeObject } from '../../kube/object.ts'
import type { Kernel } from '../kernel.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { Warnings } from './body.ts'
import { deleteObject } from './delete.ts'
import { selectAll } from './list.ts'

/** How many deletions run at once: enough to share commits, few enough to leave room for others. */
const AT_ONCE = 64

/** Deletes every selected object of a collection, each as if it had been asked for alone; the first refusal ends it. */
export async function deleteCollection(
  kernel: Kernel,
  resource: ServedResource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const warnings = new Warnings()
  const selected = await selectAll(kernel, resource, request)
  if (!selected.ok) return refused(selected.error, warnings.said)
  const { items } = selected.value
  const deleted: KubeObject[] = []
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const batch = items.slice(start, start + AT_ONCE).map(({ metadata }) =>
      deleteObject({
        kernel,
        resource,
        request: {
          ...request,
          verb: 'delete',
          ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
          name: metadata.name ?? '',
        },
        warnings,
      }),
    )
    for (const outcome of await Promise.all(batch)) {
      if (outcome.ok) deleted.push(outcome.value.object)
      else if (outcome.error.reason !== 'NotFound') return refused(outcome.error, warnings.said)
    }
  }
  return {
    answer: 'list',
    list: { ...selected.value, metadata: { resourceVersion: String(kernel.store.revision) }, items: deleted },
    warnings: warnings.said,
  }
}
