import { Buffer } from 'node:buffer'
import { failure } from '../../kube/status.ts'
import type { Connection } from '../request.ts'
import { headersOf, type Reply, sendStatus } from './answer.ts'

/** Carries log text to the client as it appears; other streams have no carrier yet. */
export async function sendConnection(reply: Reply, connection: Connection): Promise<void> {
  const { exchange } = reply
  if (!connection.text) {
    await sendStatus(reply, failure('BadRequest', `${connection.kind} is not available over this connection`))
    return
  }
  const sink = exchange.stream(200, headersOf(reply, 'text/plain'))
  for await (const text of connection.text(exchange.signal)) {
    if (sink.isClosed) return
    if (!sink.write(Buffer.from(text))) await sink.drained()
  }
  if (!sink.isClosed) sink.end()
}
