import type { AdmissionPlugin } from '../kube/admission.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Store } from '../store/store.ts'
import type { WebhookPorts } from './admission/webhooks/webhooks.ts'
import type { ReviewPorts } from './auth/reviews.ts'
import type { TokenKeys } from './auth/service-account-tokens.ts'
import type { PodRuntime } from './pod-runtime.ts'
import type { Registry } from './resources/registry.ts'

/** What every verb works with. Made once by the server; nothing in it is global. */
export interface Kernel {
  readonly store: Store<KubeObject>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** What is served right now; read once per request. */
  readonly registry: () => Registry
  /** In the order in which they change and judge a write. */
  readonly admission: readonly AdmissionPlugin[]
  /** Absent where no node runs anything. */
  readonly podRuntime: PodRuntime | undefined
  /** Answers questions about who may do what; absent where there are no rules. */
  readonly reviews: ReviewPorts | undefined
  /** Signs tokens for ServiceAccounts; absent where there are none. */
  readonly tokenKeys: TokenKeys | undefined
  /** Calls the conversion webhooks of definitions; absent where none can be reached. */
  readonly callWebhook: WebhookPorts['call'] | undefined
  /** Calls back about once a minute while a watch wants bookmarks. */
  readonly bookmarks: Bookmarks
}

/** One timer for all watches that want to hear of progress. */
export interface Bookmarks {
  join(tick: () => void): () => void
}

const BOOKMARK_EVERY_MS = 60_000

/** Ticks while anybody listens. */
export function makeBookmarks(clock: Clock): Bookmarks {
  const listeners = new Set<() => void>()
  let cancel: (() => void) | undefined
  const arm = (): void => {
    cancel = clock.after(BOOKMARK_EVERY_MS, () => {
      cancel = undefined
      for (const tick of listeners) tick()
      if (listeners.size > 0) arm()
    })
  }
  return {
    join(tick) {
      listeners.add(tick)
      if (!cancel) arm()
      return () => {
        listeners.delete(tick)
        if (listeners.size > 0) return
        cancel?.()
        cancel = undefined
      }
    },
  }
}
