/** Time as a port, so that a twin can move it. The only place in `src` that may touch the real clock and timers. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Resolves after the time has passed; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Calls back once after the time has passed; the returned function cancels it. */
  after(ms: number, call: () => void): () => void
}

/** The longest delay that setTimeout takes; longer ones are slept in parts. */
const LONGEST_TIMER_MS = 2_147_483_647

function afterReal(ms: number, call: () => void): () => void {
  let timer: NodeJS.Timeout
  const due = Date.now() + ms
  const arm = (left: number): void => {
    timer = setTimeout(
      () => (due - Date.now() > 0 && left > LONGEST_TIMER_MS ? arm(due - Date.now()) : call()),
      Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
    )
  }
  arm(ms)
  return () => clearTimeout(timer)
}

function sleepBy(after: Clock['after'], ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const cancel = after(ms, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    const stop = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: afterReal,
  sleep: (ms, options) => sleepBy(afterReal, ms, options?.signal),
}

/** A clock that stands still until it is moved. */
export interface MovableClock extends Clock {
  /** Moves time forward, running every timer that falls due in order and letting promises settle between them. */
  advance(ms: number): Promise<void>
}

interface Timer {
  readonly due: number
  readonly order: number
  readonly call: () => void
}

/** Enough turns of the microtask queue for chains of awaits between two timers to finish. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Makes a movable clock that starts at the given time. */
export function movableClock(startMs: number = Date.UTC(2026, 0, 1)): MovableClock {
  let now = startMs
  let order = 0
  const timers = new Set<Timer>()
  const after = (ms: number, call: () => void): (() => void) => {
    const timer: Timer = { due: now + Math.max(ms, 0), order: order++, call }
    timers.add(timer)
    return () => timers.delete(timer)
  }
  const nextDue = (until: number): Timer | undefined => {
    let next: Timer | undefined
    for (const timer of timers) {
      if (timer.due > until) continue
      if (!next || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer
    }
    return next
  }
  return {
    now: () => now,
    after,
    sleep: (ms, options) => sleepBy(after, ms, options?.signal),
    async advance(ms) {
      const until = now + ms
      await settle()
      for (let timer = nextDue(until); timer; timer = nextDue(until)) {
        timers.delete(timer)
        now = Math.max(now, timer.due)
        timer.call()
        await settle()
      }
      now = until
      await settle()
    },
  }
}
