import type { KubeObject } from '../../kube/object.ts'
import { apiVersionOf, parseApiVersion } from '../../kube/gvk.ts'
import { type FieldWrite, trackUpdate } from '../../kube/patch/managed-fields.ts'
import { formatTime } from '../../kube/time.ts'
import type { ServedResource } from '../resources/resource.ts'
import type { Write } from './write.ts'

/** Who changes fields in this request: what the client calls itself, or the first word of its user agent. */
export function managerOf({ options, userAgent = '' }: Write['request']): string {
  if (options.fieldManager !== undefined && options.fieldManager !== '') return options.fieldManager
  return userAgent.split('/')[0]?.slice(0, 128) || 'unknown'
}

/** A write as the bookkeeping of fields sees it. */
export function fieldWriteOf({ kernel, resource, request }: Write, live: KubeObject | undefined): FieldWrite {
  const inVersion = (apiVersion: string): ServedResource | undefined => {
    const { group, version } = parseApiVersion(apiVersion)
    return group === resource.group ? kernel.registry().find(group, version, resource.plural) : undefined
  }
  return {
    live,
    manager: managerOf(request),
    apiVersion: apiVersionOf(resource),
    subresource: request.subresource,
    now: formatTime(kernel.clock.now()),
    schema: resource.typing.schema,
    schemaIn: (apiVersion) => inVersion(apiVersion)?.typing.schema,
    convert(object, apiVersion) {
      const there = inVersion(apiVersion)
      if (!there?.storage || !resource.storage) return undefined
      // Only a webhook could tell; it is not asked about each state that the bookkeeping looks at.
      if (there.storage.converter && apiVersion !== object.apiVersion) return undefined
      return there.storage.toServed(resource.storage.toKept(object))
    },
    resetFields: resetBy(resource, request.subresource),
  }
}

/** What a door ignores cannot be owned through it. */
function resetBy({ subresources }: ServedResource, subresource: string | undefined): readonly (readonly string[])[] {
  if (subresource === 'status') return [['spec']]
  return subresource === undefined && subresources.has('status') ? [['status']] : []
}

/** Notes in managedFields what this write changed, under the writer's name. */
export function trackFields(write: Write, next: KubeObject, live: KubeObject | undefined): KubeObject {
  return trackUpdate({ ...fieldWriteOf(write, live), next })
}
