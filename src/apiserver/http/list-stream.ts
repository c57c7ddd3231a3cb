import { Buffer } from 'node:buffer'
import type { ObjectList } from '../request.ts'
import type { ByteCache } from './bytes.ts'
import type { ByteSink } from './exchange.ts'

/** Lists up to this length are sent at once; longer ones in pieces, so that others are served in between. */
export const SENT_AT_ONCE = 500

const PIECE_BYTES = 256 * 1024

function* pieces({ items, ...head }: ObjectList, cache: ByteCache): Generator<Buffer> {
  const opening = JSON.stringify(head)
  let piece: Buffer[] = [Buffer.from(`${opening.slice(0, -1)},"items":[`)]
  let size = 0
  const comma = Buffer.from(',')
  for (const [index, item] of items.entries()) {
    if (index > 0) piece.push(comma)
    // A long list is read once; remembering all of it would push out what is asked for again.
    const bytes = cache.peek(item) ?? Buffer.from(JSON.stringify(item))
    piece.push(bytes)
    size += bytes.length
    if (size < PIECE_BYTES) continue
    yield Buffer.concat(piece)
    piece = []
    size = 0
  }
  piece.push(Buffer.from(']}\n'))
  yield Buffer.concat(piece)
}

/** The JSON of a list in one Buffer. */
export function listBytes(list: ObjectList, cache: ByteCache): Buffer {
  return Buffer.concat([...pieces(list, cache)])
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Sends a long list piece by piece, at the reader's pace. */
export async function streamList(list: ObjectList, cache: ByteCache, sink: ByteSink): Promise<void> {
  for (const piece of pieces(list, cache)) {
    if (sink.isClosed) return
    if (!sink.write(piece)) await sink.drained()
    else await nextTurn()
  }
  if (!sink.isClosed) sink.end()
}
