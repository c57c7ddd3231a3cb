import type { Change, WatchListener } from './store.ts'

/** One watch: what it listens for and how far it has been told. */
export interface Watcher<V> {
  readonly prefix: string
  readonly listener: WatchListener<V>
  /** Every change up to this revision has been told. */
  told: number
  open: boolean
}

/** A watcher whose prefix stays quiet is told the revision reached once this many revisions went by. */
export const PROGRESS_EVERY = 1_000

/** Fans committed changes out to the watchers of their prefixes, without looking at the others. */
export class Watchers<V> {
  readonly #byPrefix = new Map<string, Set<Watcher<V>>>()
  /** Prefixes that do not end at a `/` cannot be found by cutting a key there. */
  readonly #oddPrefixes = new Set<string>()
  #progressAt = 0
  readonly #fail: (error: unknown) => void

  constructor(fail: (error: unknown) => void) {
    this.#fail = fail
  }

  add(watcher: Watcher<V>): void {
    const { prefix } = watcher
    const together = this.#byPrefix.get(prefix)
    if (together) together.add(watcher)
    else this.#byPrefix.set(prefix, new Set([watcher]))
    if (prefix !== '' && !prefix.endsWith('/')) this.#oddPrefixes.add(prefix)
  }

  remove(watcher: Watcher<V>): void {
    watcher.open = false
    const together = this.#byPrefix.get(watcher.prefix)
    together?.delete(watcher)
    if (together?.size === 0) {
      this.#byPrefix.delete(watcher.prefix)
      this.#oddPrefixes.delete(watcher.prefix)
    }
  }

  clear(): void {
    for (const together of this.#byPrefix.values()) for (const watcher of together) watcher.open = false
    this.#byPrefix.clear()
    this.#oddPrefixes.clear()
  }

  /** Tells the changes of one commit; a change is only built when somebody listens. */
  publish(keys: readonly string[], changeAt: (index: number) => Change<V>, revision: number): void {
    if (this.#byPrefix.size === 0) return
    const heard = new Map<Set<Watcher<V>>, Change<V>[]>()
    const hear = (prefix: string, index: number): void => {
      const together = this.#byPrefix.get(prefix)
      if (!together) return
      const changes = heard.get(together)
      if (changes) changes.push(changeAt(index))
      else heard.set(together, [changeAt(index)])
    }
    for (const [index, key] of keys.entries()) {
      hear('', index)
      for (let at = key.indexOf('/'); at >= 0; at = key.indexOf('/', at + 1)) hear(key.slice(0, at + 1), index)
      for (const prefix of this.#oddPrefixes) if (key.startsWith(prefix)) hear(prefix, index)
    }
    for (const [together, changes] of heard) for (const watcher of together) this.#pass(watcher, changes, revision)
    if (revision < this.#progressAt) return
    this.#progressAt = revision + PROGRESS_EVERY
    for (const together of this.#byPrefix.values()) {
      for (const watcher of together) if (watcher.told < revision) this.tell(watcher, [], revision)
    }
  }

  /** A watcher may wait for a revision that is yet to come; what is before it does not concern it. */
  #pass(watcher: Watcher<V>, changes: readonly Change<V>[], revision: number): void {
    const first = changes[0]?.revision ?? revision
    if (watcher.told < first) this.tell(watcher, changes, revision)
    else if (watcher.told < revision) {
      const behind = changes.filter((change) => change.revision > watcher.told)
      this.tell(watcher, behind, revision)
    }
  }

  /** Calls one watcher. A listener that throws is a bug: it is closed and reported, and the others hear all the same. */
  tell(watcher: Watcher<V>, changes: readonly Change<V>[], revision: number): void {
    if (!watcher.open) return
    watcher.told = revision
    try {
      watcher.listener(changes, revision)
    } catch (error) {
      this.remove(watcher)
      this.#fail(error)
    }
  }
}
