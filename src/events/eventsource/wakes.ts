import type { CacheChange } from '../../runtime/informer.ts'
import type { KubeObject } from '../../kube/object.ts'
import { keyOf } from '../../runtime/object-cache.ts'

/** Wakes the controller for an object that has not changed, because something around it has. */
export class Wakes {
  readonly #listeners = new Set<(change: CacheChange) => void>()

  wake(object: KubeObject): void {
    for (const listener of this.#listeners) listener({ type: 'changed', key: keyOf(object), object })
  }

  listen(listener: (change: CacheChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  synced(): Promise<void> {
    return Promise.resolve()
  }
}
