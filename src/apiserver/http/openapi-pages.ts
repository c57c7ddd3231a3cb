import { openApiDocuments } from '../discovery/openapi.ts'
import type { ApiServer } from '../server.ts'
import { send } from './answer.ts'
import { type PageHandler, sendTagged } from './pages.ts'

const V3 = '/openapi/v3/'

/** The OpenAPI documents: the index of version 3, its documents, and version 2 as a whole. */
export function openApiPages(server: ApiServer): PageHandler {
  const documents = openApiDocuments()
  return async ({ path, reply }) => {
    const registry = server.registry()
    if (path === '/openapi/v3') {
      await send(reply, 200, documents.index(registry))
      return true
    }
    const found =
      path === '/openapi/v2'
        ? documents.whole(registry)
        : path.startsWith(V3)
          ? documents.document(registry, path.slice(V3.length))
          : undefined
    if (!found) return false
    await sendTagged(reply, found.bytes, found.hash, 'application/json')
    return true
  }
}
