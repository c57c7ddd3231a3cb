import { notFound, tooLargeRevision } from '../refusals.ts'
import type { Kernel } from '../kernel.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { keyOf } from '../storage/keys.ts'
import { failure } from '../../kube/status.ts'

/** Reads one object as it is now. */
export function get(kernel: Kernel, resource: ServedResource, request: ApiRequest): ApiResponse {
  const name = request.name ?? ''
  const storage = resource.storage
  if (!storage) return refused(notFound(resource, name))
  const entry = kernel.store.get(keyOf(storage.prefix, request.namespace, name))
  const asked = request.options.resourceVersion
  if (asked !== undefined && asked !== '' && asked !== '0') {
    const revision = parseRevision(asked)
    if (revision === undefined) return refused(badRevision(asked))
    if (revision > kernel.store.revision) return refused(tooLargeRevision(revision, kernel.store.revision))
  }
  if (!entry) return refused(notFound(resource, name))
  return { answer: 'object', code: 200, object: storage.toServed(entry.value) }
}

/** Reads a resourceVersion; undefined when it is none of ours. */
export function parseRevision(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** The resourceVersion is no number. */
export function badRevision(text: string): ReturnType<typeof failure> {
  return failure(
    'BadRequest',
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}
