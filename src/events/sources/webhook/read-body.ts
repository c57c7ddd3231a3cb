import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../lib/clock.ts'

/** A body, or why there is none. */
export type ReadBody =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly because: 'too-large' | 'too-slow' | 'broken-off' | 'too-much' }

/** How many bytes of bodies may be in memory at once, over all senders. */
export interface BodyBudget {
  left: number
}

const MOST_IN_MEMORY = 128 * 1024 * 1024

/** A budget that nothing has been taken of yet. */
export const bodyBudget = (): BodyBudget => ({ left: MOST_IN_MEMORY })

/** Whoever sends more slowly than this is let go. */
const LONGEST_MS = 15_000

/**
 * Reads a body of so many bytes at most, in bounded time. What is too large is noticed before it is read, where its length is told.
 * The bytes are taken from the budget until they are given back.
 */
export async function readBody(
  request: IncomingMessage,
  most: number,
  { clock, budget }: { readonly clock: Clock; readonly budget: BodyBudget },
): Promise<ReadBody & { readonly giveBack: () => void }> {
  let size = 0
  const giveBack = (): void => {
    budget.left += size
    size = 0
  }
  if (Number(request.headers['content-length'] ?? 0) > most) return { ok: false, because: 'too-large', giveBack }
  const read = await new Promise<ReadBody>((resolve) => {
    const chunks: Buffer[] = []
    const end = (outcome: ReadBody): void => {
      cancel()
      request.off('data', take)
      request.off('end', whole)
      request.off('close', broken)
      // Nobody else is there to hear of what breaks later.
      request.on('error', () => {})
      resolve(outcome)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      budget.left -= chunk.length
      if (size > most) end({ ok: false, because: 'too-large' })
      else if (budget.left < 0) end({ ok: false, because: 'too-much' })
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
  return { ...read, giveBack }
}
