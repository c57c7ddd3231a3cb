/** What happened in the store. There are names in it, never values. */
export type StoreChange =
  /** Something at a path of a mount, such as `team-a/db` of `secret/`, was written or removed. */
  | { readonly what: 'changed'; readonly mount: string; readonly path: string }
  /** The store can be read again, or can no longer be read. */
  | { readonly what: 'unsealed' | 'sealed' }

export type ChangeListener = (change: StoreChange) => void

/** Tells listeners in this process what changed in the store, after it is durable. */
export interface ChangeFeed {
  /** The returned function ends it. A listener may throw only because of a bug; the others still hear. */
  subscribe(listener: ChangeListener): () => void
}

/** A feed with its mouth. */
export interface ToldChangeFeed extends ChangeFeed {
  tell(change: StoreChange): void
}

/** Makes a feed; `onError` hears what listeners throw. */
export function changeFeed(onError: (error: unknown) => void): ToldChangeFeed {
  const listeners = new Set<ChangeListener>()
  return {
    subscribe(listener) {
      // Wrapped, so that one listener may subscribe twice and end either.
      const call: ChangeListener = (change) => listener(change)
      listeners.add(call)
      return () => listeners.delete(call)
    },
    tell(change) {
      for (const listener of listeners) {
        try {
          listener(change)
        } catch (error) {
          onError(error)
        }
      }
    },
  }
}
