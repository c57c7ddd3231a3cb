import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/object.ts'
import type { ObjectList } from '../request.ts'
import type { ByteCache } from './bytes.ts'
import type { ByteSink } from './exchange.ts'

/** Lists up to this length are sent at once; longer ones in pieces, so that others are served in between. */
export const SENT_AT_ONCE = 500

const PIECE_BYTES = 256 * 1024

type Pages = Iterable<readonly KubeObject[]>

function* pieces({ items, ...head }: ObjectList, rest: Pages, cache: ByteCache): Generator<Buffer> {
  const opening = JSON.stringify(head)
  let piece: Buffer[] = [Buffer.from(`${opening.slice(0, -1)},"items":[`)]
  let size = 0
  let isFirst = true
  const comma = Buffer.from(',')
  for (const page of pagesOf(items, rest)) {
    for (const item of page) {
      if (!isFirst) piece.push(comma)
      isFirst = false
      // A long list is read once; remembering all of it would push out what is asked for again.
      const bytes = cache.peek(item) ?? Buffer.from(JSON.stringify(item))
      piece.push(bytes)
      size += bytes.length
      if (size < PIECE_BYTES) continue
      yield Buffer.concat(piece)
      piece = []
      size = 0
    }
  }
  piece.push(Buffer.from(']}\n'))
  yield Buffer.concat(piece)
}

function* pagesOf(first: readonly KubeObject[], rest: Pages): Generator<readonly KubeObject[]> {
  yield first
  yield* rest
}

/** The JSON of a list in one Buffer. */
export function listBytes(list: ObjectList, cache: ByteCache): Buffer {
  return Buffer.concat([...pieces(list, [], cache)])
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Sends a long list piece by piece, at the reader's pace; one that cannot be read to its end is broken off. */
export async function streamList(list: ObjectList, rest: Pages, cache: ByteCache, sink: ByteSink): Promise<void> {
  for (const piece of pieces(list, rest, cache)) {
    if (sink.isClosed) return
    if (!sink.write(piece)) await sink.drained()
    else await nextTurn()
  }
  if (!sink.isClosed) sink.end()
}
