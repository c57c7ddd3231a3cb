import type { UserInfo } from '../kube/admission.ts'
import type { Client, Collection, ListOptions, ResourceInfo, Target, WatchEvent, WatchOptions } from '../kube/client.ts'
import type { KubeList, KubeObject } from '../kube/object.ts'
import { type ApiResult, refuse, type Status } from '../kube/status.ts'
import { succeed } from '../lib/result.ts'
import { versionInfo } from './discovery/version.ts'
import type { Kernel } from './kernel.ts'
import { pathNotFound } from './refusals.ts'
import type { ApiRequest, ApiResponse, RequestOptions, Verb } from './request.ts'
import { resourceInfos } from './resources/infos.ts'
import { streamOf } from './verbs/watch-queue.ts'

type Handle = (request: ApiRequest) => Promise<ApiResponse>

/** The `Client` port without a wire: the server's own handler, shared immutable objects, no copies. */
export function localClient(handle: Handle, user: UserInfo, kernel: Kernel): Client {
  const ask = (
    verb: Verb,
    where: Collection & { readonly name?: string; readonly subresource?: string },
    options: RequestOptions & { readonly signal?: AbortSignal } = {},
    more: Partial<ApiRequest> = {},
  ): Promise<ApiResponse> => {
    const { signal, ...rest } = options
    signal?.throwIfAborted()
    return handle({
      verb,
      ...where.resource,
      ...(where.namespace === undefined ? {} : { namespace: where.namespace }),
      ...(where.name === undefined ? {} : { name: where.name }),
      ...(where.subresource === undefined ? {} : { subresource: where.subresource }),
      user,
      userAgent: user.username,
      options: rest,
      ...(signal ? { signal } : {}),
      ...more,
    })
  }
  return {
    get: async (target, options) => objectOf(await ask('get', target, options)),
    list: async (collection, options) => listOf(await ask('list', collection, options)),
    watch: (collection, options) => watchFrom(ask('watch', collection, withoutSignal(options)), options?.signal),
    create: async (collection, object, options) => objectOf(await ask('create', collection, options, { body: object })),
    update: async (target, object, options) => objectOf(await ask('update', target, options, { body: object })),
    patch: async (target, patch, options) => objectOf(await ask('patch', target, options, { patch })),
    delete: async (target: Target, options) => objectOrStatus(await ask('delete', target, options)),
    async deleteCollection(collection, options: ListOptions = {}) {
      const response = await ask('deletecollection', collection, options)
      return response.answer === 'status' && response.status.status === 'Success'
        ? succeed(response.status)
        : listOf(response)
    },
    discover: async () => succeed<readonly ResourceInfo[]>(resourceInfos(kernel.registry())),
    version: async () => succeed(versionInfo.gitVersion),
  }
}

function withoutSignal(options: WatchOptions | undefined): RequestOptions {
  if (!options) return {}
  const { signal: _signal, ...rest } = options
  return rest
}

function objectOf(response: ApiResponse): ApiResult<KubeObject> {
  if (response.answer === 'object') return succeed(response.object)
  if (response.answer === 'status') {
    const { status } = response
    // Some writes, such as an eviction, are answered with the note that they are done.
    return status.status === 'Success' ? succeed(status as unknown as KubeObject) : { ok: false, error: status }
  }
  return refuse('InternalError', `a single object was asked for, and the answer is a ${response.answer}`)
}

function objectOrStatus(response: ApiResponse): ApiResult<KubeObject | Status> {
  if (response.answer === 'status' && response.status.status === 'Success') return succeed(response.status)
  return objectOf(response)
}

function listOf(response: ApiResponse): ApiResult<KubeList> {
  if (response.answer === 'list') return succeed(response.list)
  if (response.answer === 'status') return { ok: false, error: response.status }
  return { ok: false, error: pathNotFound() }
}

async function* watchFrom(asked: Promise<ApiResponse>, signal: AbortSignal | undefined): AsyncIterable<WatchEvent> {
  const response = await asked
  if (response.answer === 'watch') yield* streamOf(response.watch, signal)
  else if (response.answer === 'status') yield { type: 'ERROR', object: response.status }
}
