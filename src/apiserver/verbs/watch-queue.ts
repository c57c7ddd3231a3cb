import type { AcceptedWatch, StreamEvent } from '../request.ts'

/** The events of a watch for a reader in this process, who takes them at its own pace. */
export async function* streamOf(watch: AcceptedWatch, signal: AbortSignal | undefined): AsyncGenerator<StreamEvent> {
  let pending: StreamEvent[] = []
  let isOver = signal?.aborted ?? false
  let wake: (() => void) | undefined
  const stir = (): void => {
    wake?.()
    wake = undefined
  }
  const abort = (): void => {
    isOver = true
    pending = []
    stir()
  }
  if (isOver) return
  signal?.addEventListener('abort', abort, { once: true })
  const stop = watch.start({
    events(events) {
      for (const event of events) pending.push(event)
      stir()
    },
    end() {
      isOver = true
      stir()
    },
  })
  try {
    for (;;) {
      const ready = pending
      pending = []
      yield* ready
      if (pending.length > 0) continue
      if (isOver) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    stop()
    signal?.removeEventListener('abort', abort)
  }
}
