import { Buffer } from 'node:buffer'
import type { UserInfo } from '../../kube/admission.ts'
import { discoveryDocuments } from '../discovery/documents.ts'
import { aggregatedDiscovery } from '../discovery/aggregated.ts'
import { versionInfo } from '../discovery/version.ts'
import type { ApiServer } from '../server.ts'
import { headersOf, type Reply, send, sendBytes } from './answer.ts'

/** A request for something that is no resource. */
export interface PageRequest {
  readonly path: string
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly method: string
  readonly user: UserInfo
  readonly reply: Reply
}

/** The server's own pages: discovery, version, health. */
export interface Pages {
  /** Answers false when there is no such page. */
  serve(request: PageRequest): Promise<boolean>
}

/** A named thing that must be well for the server to be. */
export interface HealthCheck {
  readonly name: string
  /** Why it is not well; undefined when it is. */
  readonly ailing: () => string | undefined
}

/** Everything that is served outside the resources. */
export function makePages(server: ApiServer, checks: readonly HealthCheck[], more: readonly PageHandler[] = []): Pages {
  return {
    async serve(request) {
      const path = request.path.length > 1 && request.path.endsWith('/') ? request.path.slice(0, -1) : request.path
      for (const handler of [discovery(server), health(checks), ...more]) {
        if (await handler({ ...request, path })) return true
      }
      return false
    },
  }
}

/** Answers one family of pages, or false for others. */
export type PageHandler = (request: PageRequest) => Promise<boolean>

function discovery(server: ApiServer): PageHandler {
  return async ({ path, reply }) => {
    if (path === '/version') {
      await send(reply, 200, versionInfo)
      return true
    }
    const registry = server.registry()
    const { agreed } = reply
    if ((path === '/api' || path === '/apis') && agreed.as !== undefined) {
      const { bytes, etag, contentType } = aggregatedDiscovery(registry, path, agreed.version ?? 'v2')
      await sendTagged(reply, bytes, etag, contentType)
      return true
    }
    const document = discoveryDocuments(registry, path)
    if (!document) return false
    await send(reply, 200, document)
    return true
  }
}

/** Sends bytes with their tag, or only the note that the client has them already. */
export async function sendTagged(reply: Reply, bytes: Buffer, etag: string, contentType: string): Promise<void> {
  const quoted = `"${etag}"`
  const known = reply.exchange.header('if-none-match')
  if (known === quoted || known === etag) {
    reply.exchange.respond(304, { ...headersOf(reply, contentType), etag: quoted })
    return
  }
  await sendBytes(reply, 200, bytes, contentType, { etag: quoted, vary: 'Accept' })
}

const healthPath = /^\/(healthz|livez|readyz)(?:\/([^/]+))?$/

function health(checks: readonly HealthCheck[]): PageHandler {
  return async ({ path, query, reply }) => {
    const [, page, only] = healthPath.exec(path) ?? []
    if (page === undefined) return false
    const asked = only === undefined ? checks : checks.filter(({ name }) => name === only)
    if (only !== undefined && asked.length === 0) return false
    const excluded = new Set(query.get('exclude'))
    const lines = asked.map(({ name, ailing }) => {
      if (excluded.has(name)) return { text: `[+]${name} excluded: ok`, isWell: true }
      const because = ailing()
      return because === undefined
        ? { text: `[+]${name} ok`, isWell: true }
        : { text: `[-]${name} failed: ${because}`, isWell: false }
    })
    const isWell = lines.every((line) => line.isWell)
    const isTold = query.has('verbose') || !isWell
    const text = isTold
      ? `${lines.map((line) => `${line.text}\n`).join('')}${page} check ${isWell ? 'passed' : 'failed'}\n`
      : 'ok'
    await sendBytes(reply, isWell ? 200 : 500, Buffer.from(text), 'text/plain; charset=utf-8', {
      'x-content-type-options': 'nosniff',
    })
    return true
  }
}
