import type { CallOptions, Client, Collection, Patch, WatchEvent, WatchOptions } from '../kube/client.ts'
import type { KubeList, KubeObject } from '../kube/object.ts'
import type { ApiResult, Status } from '../kube/status.ts'
import type { Clock } from '../lib/clock.ts'
import { isObject } from '../lib/json.ts'
import type { Ids } from '../lib/ids.ts'
import { succeed } from '../lib/result.ts'
import type { ClusterAccess } from './access.ts'
import { asStatus, readAnswer, statusOf, withKinds } from './answer.ts'
import { type Connection, connectTo, type HttpRequest, type HttpResponse } from './connection.ts'
import { discoverResources } from './discovery.ts'
import type { Environment } from './exec-plugin.ts'
import { linesOf } from './line-splitter.ts'
import { deleteBody, pathOf, queryOf } from './paths.ts'
import { sendPatiently } from './retry.ts'

export interface RemoteClientOptions {
  readonly access: ClusterAccess
  readonly clock: Clock
  readonly ids: Ids
  readonly environment: Environment
  readonly userAgent: string
  /** Hears what the server warns of, such as a deprecated version. */
  readonly onWarning?: (text: string) => void
}

/** A request to a path of the server that is no resource. */
export type PageRequest = Pick<HttpRequest, 'method' | 'path' | 'body' | 'headers' | 'signal'>

/** A client with connections of its own. */
export interface RemoteClient extends Client {
  /** Asks for something that is no resource, such as a page of the platform's own. */
  ask(request: PageRequest): Promise<{ readonly status: number; readonly body: string }>
  close(): Promise<void>
}

const patchTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML, so an object needs no other writer.
  apply: 'application/apply-patch+yaml',
}

/** The `Client` port over HTTP. */
export function remoteClient(options: RemoteClientOptions): RemoteClient {
  const connection = connectTo(options.access, options)
  const send = (request: HttpRequest): Promise<HttpResponse> =>
    sendPatiently((one) => connection.send(one), request, options)
  const ask = async <T>(
    method: HttpRequest['method'],
    path: string,
    { signal }: CallOptions = {},
    more: Pick<HttpRequest, 'body' | 'headers'> = {},
  ): Promise<ApiResult<T>> => {
    const response = await send({ method, path, ...more, ...(signal ? { signal } : {}) })
    if (options.onWarning) for (const text of warningsOf(response)) options.onWarning(text)
    return readAnswer<T>(response)
  }
  const json = (body: unknown): Pick<HttpRequest, 'body' | 'headers'> => ({
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  return {
    get: (target, more) => ask<KubeObject>('GET', pathOf(target) + queryOf(more), more),
    async list(collection, more) {
      const answer = await ask<KubeList>('GET', pathOf(collection) + queryOf(more), more)
      return answer.ok ? succeed(withKinds(answer.value)) : answer
    },
    watch: (collection, more) => watchOver(connection, collection, more),
    create: (where, object, more) => ask<KubeObject>('POST', pathOf(where) + queryOf(more), more, json(object)),
    update: (target, object, more) => ask<KubeObject>('PUT', pathOf(target) + queryOf(more), more, json(object)),
    patch: (target, patch, more) =>
      ask<KubeObject>('PATCH', pathOf(target) + queryOf(more), more, {
        body: JSON.stringify(patch.body),
        headers: { 'content-type': patchTypes[patch.type] },
      }),
    delete: (target, more = {}) =>
      ask<KubeObject | Status>('DELETE', pathOf(target), more, { ...json({}), body: deleteBody(more) }),
    async deleteCollection(collection, more = {}) {
      const { dryRun: _inBody, ...selected } = more
      const answer = await ask<KubeList | Status>('DELETE', pathOf(collection) + queryOf(selected), more, {
        ...json({}),
        body: deleteBody(more),
      })
      return answer.ok && 'items' in answer.value ? succeed(withKinds(answer.value)) : answer
    },
    discover: (more) =>
      discoverResources((path, accept) => ask<unknown>('GET', path, more, accept ? { headers: { accept } } : {})),
    async version(more) {
      const answer = await ask<{ readonly gitVersion?: string }>('GET', '/version', more)
      return answer.ok ? succeed(answer.value.gitVersion ?? '') : answer
    },
    async ask(request) {
      const response = await send(request)
      return { status: response.status, body: await response.body.text() }
    },
    close: () => connection.close(),
  }
}

/** Opened once: whoever watches decides what a failure means. */
async function* watchOver(
  connection: Connection,
  collection: Collection,
  options: WatchOptions = {},
): AsyncGenerator<WatchEvent> {
  const { signal } = options
  if (signal?.aborted) return
  const path = pathOf(collection) + queryOf(options, { watch: 'true' })
  let response: HttpResponse | undefined
  try {
    response = await connection.send({ method: 'GET', path, isStream: true, ...(signal ? { signal } : {}) })
    if (response.status >= 400) {
      yield { type: 'ERROR', object: statusOf(response, await response.body.text()) }
      return
    }
    for await (const line of linesOf(response.body as AsyncIterable<Uint8Array>)) {
      const event = parseEvent(line)
      yield event
      if (event.type === 'ERROR') return
    }
  } catch (cause) {
    if (signal?.aborted) return
    throw new Error(`the watch of ${collection.resource.plural} was cut off`, { cause })
  } finally {
    // Whoever stops listening ends the request.
    response?.body.destroy()
  }
}

function parseEvent(line: string): WatchEvent {
  const event = JSON.parse(line) as { readonly type: string; readonly object: unknown }
  if (!isObject(event.object)) throw new Error('an event of the watch has no object')
  if (event.type === 'ERROR') return { type: 'ERROR', object: asStatus(event.object) }
  return event as WatchEvent // the four other types carry an object
}

/** The texts of the Warning headers with code 299: `299 - "text"`. */
function warningsOf({ headers }: HttpResponse): readonly string[] {
  const raw = headers['warning']
  const all = typeof raw === 'string' ? raw : (raw ?? []).join(',')
  return [...all.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((found) => (found[1] ?? '').replace(/\\(.)/g, '$1'))
}
