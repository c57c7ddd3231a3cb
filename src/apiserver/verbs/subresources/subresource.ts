import type { Kernel } from '../../kernel.ts'
import { methodNotAllowed, pathNotFound } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../../request.ts'
import type { ServedResource } from '../../resources/resource.ts'
import { binding } from './binding.ts'
import { connect } from './connect.ts'
import { eviction } from './eviction.ts'
import { parts } from './parts.ts'
import { scale } from './scale.ts'
import { token } from './token.ts'

/** Answers what lies below an object's path. */
export type SubresourceHandler = (
  kernel: Kernel,
  resource: ServedResource,
  request: ApiRequest,
) => ApiResponse | Promise<ApiResponse>

/** By name, or by resource and name where a name means different things. */
const handlers: ReadonlyMap<string, SubresourceHandler> = new Map<string, SubresourceHandler>([
  ['status', parts],
  ['approval', parts],
  ['finalize', parts],
  ['ephemeralcontainers', parts],
  ['resize', parts],
  ['scale', scale],
  ['eviction', eviction],
  ['binding', binding],
  ['token', token],
  ['log', connect],
  ['exec', connect],
  ['attach', connect],
  ['portforward', connect],
  ['proxy', connect],
])

/** Finds the handler of what lies below an object's path. */
export function handleSubresource(
  kernel: Kernel,
  resource: ServedResource,
  request: ApiRequest,
): ApiResponse | Promise<ApiResponse> {
  const subresource = resource.subresources.get(request.subresource ?? '')
  const handler = subresource && handlers.get(subresource.name)
  if (!subresource || !handler || request.name === undefined) return refused(pathNotFound())
  const isServed = request.verb === 'connect' || subresource.verbs.includes(request.verb)
  return isServed ? handler(kernel, resource, request) : refused(methodNotAllowed())
}
