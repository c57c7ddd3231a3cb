import { openApiDocuments } from '../discovery/openapi.ts'
import type { ApiServer } from '../server.ts'
import { Buffer } from 'node:buffer'
import { send, sendBytes } from './answer.ts'
import { negotiate } from './negotiate.ts'
import { type PageHandler, sendTagged } from './pages.ts'

const V3 = '/openapi/v3/'

/** Clients before 1.28 insist on version 2 as protobuf. */
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/**
 * A document with a version and nothing else (openapi.v2.Document: swagger = 1, info = 2 { title = 1, version = 2 }). Such
 * clients then merge built-in kinds by what they know themselves, and custom ones as plain JSON.
 */
const emptyProtobuf = Buffer.from('\n\u00032.0\u0012\u0010\n\nKubernetes\u0012\u0002v1', 'latin1')

/** The OpenAPI documents: the index of version 3, its documents, and version 2 as a whole. */
export function openApiPages(server: ApiServer): PageHandler {
  const documents = openApiDocuments()
  return async ({ path, reply }) => {
    const registry = server.registry()
    if (path === '/openapi/v3') {
      await send(reply, 200, documents.index(registry))
      return true
    }
    if (path === '/openapi/v2' && !negotiate(reply.exchange.header('accept'))) {
      await sendBytes(reply, 200, emptyProtobuf, PROTOBUF)
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
