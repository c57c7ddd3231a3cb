import type { Kernel } from '../../kernel.ts'
import { pathNotFound } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../../request.ts'
import type { ServedResource } from '../../resources/resource.ts'

/** Finds the handler of what lies below an object's path. */
export function handleSubresource(_kernel: Kernel, resource: ServedResource, request: ApiRequest): ApiResponse {
  if (!resource.subresources.has(request.subresource ?? '')) return refused(pathNotFound())
  return refused(pathNotFound())
}
