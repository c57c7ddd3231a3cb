/** Lets only so many at a time go on; the others wait in their order. */
export interface Turns {
  take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** Makes turns for `most` at once. */
export function turns(most: number): Turns {
  const waiting: (() => void)[] = []
  let running = 0
  const enter = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      if (running < most) {
        running += 1
        return resolve()
      }
      const stop = (): void => {
        waiting.splice(waiting.indexOf(go), 1)
        reject(signal?.reason as Error)
      }
      const go = (): void => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }
      signal?.addEventListener('abort', stop, { once: true })
      waiting.push(go)
    })
  const leave = (): void => {
    const next = waiting.shift()
    // Whoever leaves hands its place on.
    if (next) next()
    else running -= 1
  }
  return {
    async take(work, signal) {
      await enter(signal)
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
