import { failure } from '../kube/status.ts'
import type { Kernel } from './kernel.ts'
import { methodNotAllowed, notFound, pathNotFound } from './refusals.ts'
import { type ApiRequest, type ApiResponse, type ObjectList, refused, type Verb } from './request.ts'
import type { ServedResource } from './resources/resource.ts'
import { create } from './verbs/create.ts'
import { deleteCollection } from './verbs/delete-collection.ts'
import { deleteOne } from './verbs/delete.ts'
import { readThroughForms } from './verbs/forms.ts'
import { get } from './verbs/get.ts'
import { list } from './verbs/list.ts'
import { patch } from './verbs/patch.ts'
import { handleSubresource } from './verbs/subresources/subresource.ts'
import { reviewKinds } from './auth/reviews.ts'
import { review } from './verbs/review.ts'
import { bindPod } from './verbs/subresources/binding.ts'
import { update } from './verbs/update.ts'
import { watch } from './verbs/watch.ts'

type Handler = (kernel: Kernel, resource: ServedResource, request: ApiRequest) => ApiResponse | Promise<ApiResponse>

const verbs: Readonly<Record<Exclude<Verb, 'connect'>, Handler>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteCollection,
}

/** One request for a resource, whoever carries it here. Authorization has already said yes. */
export async function handle(kernel: Kernel, request: ApiRequest): Promise<ApiResponse> {
  const resource = kernel.registry().find(request.group, request.version, request.plural)
  if (!resource) return refused(pathNotFound())
  const misplaced = checkScope(resource, request)
  if (misplaced) return misplaced
  const isRead = request.verb === 'get' || request.verb === 'list'
  return isRead && resource.storage?.converter
    ? readThroughForms(resource, request, (view, asked) => handleFor(kernel, view, asked))
    : handleFor(kernel, resource, request)
}

async function handleFor(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  if (request.subresource !== undefined) return handleSubresource(kernel, resource, request)
  if (request.verb === 'connect' || !resource.verbs.includes(request.verb)) return refused(methodNotAllowed())
  if (!resource.storage) return handleUnkept(kernel, resource, request)
  const response = await verbs[request.verb](kernel, resource, request)
  if (resource.deprecation === undefined) return response
  return { ...response, warnings: [resource.deprecation, ...(response.warnings ?? [])] }
}

/** A cluster-scoped resource has no namespace, and one object of a namespaced resource cannot do without. */
function checkScope(resource: ServedResource, { namespace, name, verb }: ApiRequest): ApiResponse | undefined {
  const hasNamespace = namespace !== undefined && namespace !== ''
  if (!resource.namespaced) return hasNamespace ? refused(pathNotFound()) : undefined
  if (hasNamespace) return undefined
  if (verb === 'list' || verb === 'watch' || (verb === 'create' && resource.storage === undefined)) return undefined
  if (name !== undefined || verb === 'get') return refused(pathNotFound())
  return refused(failure('MethodNotAllowed', 'the server does not allow this method on the requested resource', {}))
}

/** Kinds of which nothing is kept. */
function handleUnkept(
  kernel: Kernel,
  resource: ServedResource,
  request: ApiRequest,
): ApiResponse | Promise<ApiResponse> {
  if (reviewKinds.has(resource.kind)) return review(kernel, resource, request)
  if (resource.kind === 'Binding') return bindPod(kernel, request)
  if (resource.kind === 'ComponentStatus' && request.verb === 'list')
    return { answer: 'list', list: emptyList(kernel, resource) }
  return refused(request.verb === 'get' ? notFound(resource, request.name ?? '') : methodNotAllowed())
}

function emptyList(kernel: Kernel, { kind }: ServedResource): ObjectList {
  return {
    apiVersion: 'v1',
    kind: `${kind}List`,
    metadata: { resourceVersion: String(kernel.store.revision) },
    items: [],
  }
}
