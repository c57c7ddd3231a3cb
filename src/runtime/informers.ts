import type { Client, Collection } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Informer } from './informer.ts'
import type { IndexBy } from './object-cache.ts'

/** What an informer keeps current, and how it is found. */
export interface InformerSpec<T extends KubeObject = KubeObject> {
  readonly collection: Collection
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly parse?: (object: KubeObject) => T
  readonly indexes?: Readonly<Record<string, IndexBy<T>>>
}

export interface InformersOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly watchSeconds?: number
}

/** The informers of a process. They are started as they are asked for, once this runs. */
export class Informers {
  readonly #options: InformersOptions
  /** By what is plain data in the spec; one with a parser or indexes belongs to whoever asked for it. */
  readonly #shared = new Map<string, Informer>()
  readonly #all: { run(signal: AbortSignal): Promise<void> }[] = []
  readonly #running: Promise<void>[] = []
  #signal: AbortSignal | undefined

  constructor(options: InformersOptions) {
    this.#options = options
  }

  /** The informer that all who look at this collection share. */
  shared({ collection, labelSelector, fieldSelector }: Omit<InformerSpec, 'parse' | 'indexes'>): Informer {
    const { group, version, plural } = collection.resource
    const key = JSON.stringify([group, version, plural, collection.namespace, labelSelector, fieldSelector])
    const known = this.#shared.get(key)
    if (known) return known
    const made = this.own({
      collection,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    })
    this.#shared.set(key, made)
    return made
  }

  /** An informer with types or indexes of one's own. */
  own<T extends KubeObject>(spec: InformerSpec<T>): Informer<T> {
    const made = new Informer<T>({ ...this.#options, ...spec })
    this.#all.push(made)
    if (this.#signal) this.#running.push(made.run(this.#signal))
    return made
  }

  /** Runs all informers until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    for (const informer of this.#all) this.#running.push(informer.run(signal))
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.all(this.#running)
  }
}
