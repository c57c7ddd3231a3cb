import type { Kernel } from '../kernel.ts'
import { methodNotAllowed } from '../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'

/** Changes an object by parts. */
export function patch(_kernel: Kernel, _resource: ServedResource, _request: ApiRequest): ApiResponse {
  return refused(methodNotAllowed())
}
