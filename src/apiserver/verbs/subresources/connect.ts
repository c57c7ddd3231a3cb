import { failure } from '../../../kube/status.ts'
import type { Kernel } from '../../kernel.ts'
import { notFound } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, type Connection, refused } from '../../request.ts'
import type { ServedResource } from '../../resources/resource.ts'
import { keyOf } from '../../storage/keys.ts'

const kinds: ReadonlyMap<string, Connection['kind']> = new Map([
  ['log', 'log'],
  ['exec', 'exec'],
  ['attach', 'attach'],
  ['portforward', 'portforward'],
])

/** Reaches into a running Pod. */
export async function connect(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const name = request.name ?? ''
  const { storage } = resource
  const entry = storage && kernel.store.get(keyOf(storage.prefix, request.namespace, name))
  if (!entry) return refused(notFound(resource, name))
  const kind = kinds.get(request.subresource ?? '')
  if (resource.plural !== 'pods' || !kind) {
    return refused(failure('ServiceUnavailable', `no proxy to ${resource.plural} is available in this cluster`))
  }
  if (!kernel.podRuntime) {
    return refused(failure('ServiceUnavailable', `cannot ${kind}: no node of this cluster runs containers`))
  }
  const connected = await kernel.podRuntime.connect({
    kind,
    pod: entry.value,
    query: request.options.query ?? new Map<string, readonly string[]>(),
    ...(request.signal ? { signal: request.signal } : {}),
  })
  return connected.ok ? { answer: 'connection', open: connected.value } : refused(connected.error)
}
