import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../lib/clock.ts'

/** A body, or why there is none. */
export type ReadBody =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly because: 'too-large' | 'too-slow' | 'broken-off' }

/** Whoever sends more slowly than this is let go. */
const LONGEST_MS = 15_000

/** Reads a body of so many bytes at most, in bounded time. What is too large is noticed before it is read, where its length is told. */
export async function readBody(request: IncomingMessage, most: number, clock: Clock): Promise<ReadBody> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > most) return { ok: false, because: 'too-large' }
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (read: ReadBody): void => {
      cancel()
      request.off('data', take)
      request.off('end', whole)
      request.off('close', broken)
      // Nobody else is there to hear of what breaks later.
      request.on('error', () => {})
      resolve(read)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > most) end({ ok: false, because: 'too-large' })
      else chunks.push(chunk)
    }
    const whole = (): void => end({ ok: true, body: Buffer.concat(chunks, size) })
    const broken = (): void => end({ ok: false, because: 'broken-off' })
    const cancel = clock.after(LONGEST_MS, () => end({ ok: false, because: 'too-slow' }))
    request.on('data', take)
    request.on('end', whole)
    request.on('close', broken)
    request.on('error', broken)
  })
}
