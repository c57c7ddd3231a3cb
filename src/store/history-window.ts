import type { Clock } from '../lib/clock.ts'
import type { Store } from './store.ts'

/** How much of the past a store keeps: whatever is older, or more than so many revisions ago, goes. */
export interface HistoryWindow {
  readonly keepMs: number
  readonly keepRevisions: number
  /** How often the store is compacted. */
  readonly everyMs: number
}

/** Five minutes, as etcd under a Kubernetes API server, unless writes come in floods. */
export const fiveMinutes: HistoryWindow = { keepMs: 300_000, keepRevisions: 200_000, everyMs: 30_000 }

/** Compacts the store until the signal is aborted. What was written before it ran counts as written when it began. */
export async function keepHistory(
  store: Store<unknown>,
  clock: Clock,
  window: HistoryWindow,
  signal: AbortSignal,
): Promise<void> {
  const marks: { readonly atMs: number; readonly revision: number }[] = [
    { atMs: clock.now(), revision: store.revision },
  ]
  while (await waited(clock, window.everyMs, signal)) {
    const now = clock.now()
    marks.push({ atMs: now, revision: store.revision })
    let old = 0
    for (; (marks[0]?.atMs ?? now) <= now - window.keepMs; marks.shift()) old = marks[0]?.revision ?? old
    await store.compact(Math.max(old, store.revision - window.keepRevisions))
  }
}

async function waited(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return !signal.aborted
}
