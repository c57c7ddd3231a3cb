import { openApiDocuments } from '../discovery/openapi.ts'
import type { ApiServer } from '../server.ts'
import { failure } from '../../kube/status.ts'
import { send, sendStatus } from './answer.ts'
import { negotiate } from './negotiate.ts'
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
    // Old clients ask for protobuf alone, and do without the document when it is refused.
    if (path === '/openapi/v2' && !negotiate(reply.exchange.header('accept'))) {
      await sendStatus(reply, failure('NotAcceptable', 'only the following media types are accepted: application/json'))
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
