import type { Client, WatchEvent } from '../kube/client.ts'
import { failure, type StatusReason } from '../kube/status.ts'

/** A client whose connection a test can break. */
export interface FlakyClient {
  readonly client: Client
  /** What was asked for, in order, such as `list` or `watch 12`. */
  readonly asked: string[]
  /** Ends every watch, as a server does that restarts or a proxy that has waited long enough. */
  dropWatches(): void
  /** Makes every open watch end with this error. */
  failWatches(reason: StatusReason): void
  /** Lets the next calls of the verb fail: by throwing, or with a refusal. */
  failNext(verb: 'list' | 'watch', times: number, reason?: StatusReason): void
  /** Nothing arrives any more on the watches that are open, and they do not end. */
  freeze(): void
}

export function flakyClient(client: Client): FlakyClient {
  const asked: string[] = []
  const open = new Set<{ readonly end: (how: 'end' | 'freeze' | StatusReason) => void }>()
  const failing = {
    list: { times: 0, reason: undefined as StatusReason | undefined },
    watch: { times: 0, reason: undefined as StatusReason | undefined },
  }
  const fails = (verb: 'list' | 'watch'): StatusReason | 'thrown' | undefined => {
    if (failing[verb].times === 0) return undefined
    failing[verb].times -= 1
    return failing[verb].reason ?? 'thrown'
  }
  const endAll = (how: 'end' | 'freeze' | StatusReason): void => {
    for (const watch of open) watch.end(how)
    open.clear()
  }

  async function* watch(...[collection, options]: Parameters<Client['watch']>): AsyncGenerator<WatchEvent> {
    asked.push(`watch ${options?.resourceVersion ?? ''}`)
    const failed = fails('watch')
    if (failed === 'thrown') throw new Error('connection refused')
    if (failed) {
      yield { type: 'ERROR', object: failure(failed, 'as asked by the test') }
      return
    }
    const inner = new AbortController()
    let how: 'end' | 'freeze' | StatusReason | undefined
    let thaw: (() => void) | undefined
    options?.signal?.addEventListener('abort', () => {
      inner.abort()
      thaw?.()
    })
    open.add({
      end(asks) {
        how = asks
        inner.abort()
      },
    })
    for await (const event of client.watch(collection, { ...options, signal: inner.signal })) {
      if (how) break
      yield event
    }
    if (how === 'freeze') await new Promise<void>((resolve) => (thaw = resolve))
    else if (how && how !== 'end') yield { type: 'ERROR', object: failure(how, 'as asked by the test') }
  }

  return {
    asked,
    dropWatches: () => endAll('end'),
    failWatches: endAll,
    freeze: () => endAll('freeze'),
    failNext(verb, times, reason) {
      failing[verb] = { times, reason }
    },
    client: {
      ...client,
      watch,
      async list(collection, options) {
        asked.push('list')
        const failed = fails('list')
        if (failed === 'thrown') throw new Error('connection refused')
        if (failed) return { ok: false, error: failure(failed, 'as asked by the test') }
        return client.list(collection, options)
      },
    },
  }
}
