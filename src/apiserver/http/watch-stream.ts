import { Buffer } from 'node:buffer'
import type { Log } from '../../lib/log.ts'
import { failure } from '../../kube/status.ts'
import type { AcceptedWatch, StreamEvent } from '../request.ts'
import { type LineCache } from './bytes.ts'
import type { ByteSink } from './exchange.ts'

/** A watcher that has this much waiting for it is too slow: it is told so and closed, and may list and watch anew. */
const MOST_WAITING = 16 * 1024 * 1024

/** How a watch's objects look on the wire when they are not sent as they are. */
export type Reshape = (event: StreamEvent) => Buffer

/** Sends a watch line by line until it ends, the client leaves, the server drains, or the client cannot keep up. */
export function streamWatch(
  watch: AcceptedWatch,
  sink: ByteSink,
  lines: LineCache,
  { signal, log, reshape }: { readonly signal: AbortSignal; readonly log: Log; readonly reshape: Reshape | undefined },
): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false
    const finish = (): void => {
      if (isOver) return
      isOver = true
      stop()
      signal.removeEventListener('abort', leave)
      resolve()
    }
    const leave = (): void => {
      if (!sink.isClosed) sink.end()
      finish()
    }
    let stop = (): void => {}
    signal.addEventListener('abort', leave, { once: true })
    const stopWatch = watch.start({
      events(events) {
        if (isOver || sink.isClosed) {
          finish()
          return
        }
        sink.write(bytesOf(events, lines, reshape))
        if (sink.waiting <= MOST_WAITING) return
        log.warn('closing a watch that does not keep up', { waitingBytes: sink.waiting })
        sink.end(lines.of({ type: 'ERROR', object: tooSlow }))
        finish()
      },
      end() {
        if (!sink.isClosed) sink.end()
        finish()
      },
    })
    stop = stopWatch
    if (isOver) stopWatch()
    if (signal.aborted) leave()
  })
}

const tooSlow = failure(
  'Expired',
  'the watch did not keep up with the changes and was closed: list again and watch from there',
)

function bytesOf(events: readonly StreamEvent[], lines: LineCache, reshape: Reshape | undefined): Buffer {
  const [first] = events
  const lineOf = (event: StreamEvent): Buffer => (reshape && event.type !== 'ERROR' ? reshape(event) : lines.of(event))
  if (first && events.length === 1) return lineOf(first)
  return Buffer.concat(events.map(lineOf))
}
