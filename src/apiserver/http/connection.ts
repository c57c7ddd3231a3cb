import { Buffer } from 'node:buffer'
import { failure } from '../../kube/status.ts'
import type { Connection } from '../request.ts'
import { headersOf, type Reply, sendStatus } from './answer.ts'
import { serveUpgrade } from './upgrade/upgrade.ts'

/** Carries a connection to the client: log text in the answer, everything else over what the client upgrades to. */
export async function sendConnection(reply: Reply, connection: Connection): Promise<void> {
  const { exchange } = reply
  if (connection.text) return sendText(reply, connection.text(exchange.signal))
  const refusal = exchange.upgrade
    ? await serveUpgrade(exchange.upgrade, connection)
    : `${connection.kind} needs a connection that is upgraded to SPDY/3.1 or to a WebSocket`
  if (refusal !== undefined) await sendStatus(reply, failure('BadRequest', refusal))
}

async function sendText(reply: Reply, text: AsyncIterable<string | Uint8Array>): Promise<void> {
  const sink = reply.exchange.stream(200, headersOf(reply, 'text/plain'))
  for await (const part of text) {
    if (sink.isClosed) return
    if (!sink.write(Buffer.from(part))) await sink.drained()
  }
  if (!sink.isClosed) sink.end()
}
