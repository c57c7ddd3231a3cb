import type { Client, ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { type CacheChange, Informer } from '../../runtime/informer.ts'

/** Events come and go by themselves, and refer to owners that need not be there. */
const IGNORED: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io'])
/** A collection that cannot be read for so long no longer holds up the others. */
const PATIENCE_MS = 30_000

/** How the collector names a collection. */
export const collectionName = ({ group, plural }: { readonly group: string; readonly plural: string }): string =>
  group === '' ? plural : `${plural}.${group}`

/** The collections in which objects can be seen and deleted, each in one version. */
export function collectable(resources: readonly ResourceInfo[]): ReadonlyMap<string, ResourceInfo> {
  const found = new Map<string, ResourceInfo>()
  for (const resource of resources) {
    const name = collectionName(resource)
    if (resource.subresource !== undefined || IGNORED.has(name) || found.has(name)) continue
    if (['list', 'watch', 'delete'].every((verb) => resource.verbs.includes(verb))) found.set(name, resource)
  }
  return found
}

interface ResourceWatch {
  readonly resource: ResourceInfo
  readonly informer: Informer
  readonly stopping: AbortController
  readonly running: Promise<void>
  readonly sinceMs: number
}

export interface ResourceWatchesOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** A change in a collection; a collection that is no longer served loses all its objects. */
  readonly changed: (resource: ResourceInfo, change: CacheChange) => void
}

/** An informer for every collection there is, following what is served. Only metadata is kept. */
export class ResourceWatches {
  readonly #options: ResourceWatchesOptions
  readonly #watches = new Map<string, ResourceWatch>()

  constructor(options: ResourceWatchesOptions) {
    this.#options = options
  }

  /** Starts and stops informers until they are those of the resources. */
  follow(resources: readonly ResourceInfo[], signal: AbortSignal): void {
    const wanted = collectable(resources)
    for (const [name, watch] of this.#watches) {
      const resource = wanted.get(name)
      if (resource?.version === watch.resource.version && resource.kind === watch.resource.kind) continue
      this.#watches.delete(name)
      watch.stopping.abort(new Error(`${name} is no longer served`))
      if (!resource)
        for (const object of watch.informer.cache.list())
          this.#options.changed(watch.resource, { type: 'removed', key: '', object })
    }
    for (const [name, resource] of wanted) {
      if (!this.#watches.has(name)) this.#watches.set(name, this.#start(resource, signal))
    }
  }

  /** The collections that have not been read yet, and are still waited for. */
  unread(): readonly string[] {
    const now = this.#options.clock.now()
    return [...this.#watches]
      .filter(([, { informer, sinceMs }]) => !informer.isSynced && now - sinceMs < PATIENCE_MS)
      .map(([name]) => name)
  }

  async ended(): Promise<void> {
    await Promise.all([...this.#watches.values()].map(({ running }) => running))
  }

  #start(resource: ResourceInfo, signal: AbortSignal): ResourceWatch {
    const { client, clock, log, changed } = this.#options
    const { group, version, plural } = resource
    const informer = new Informer({
      client,
      clock,
      log,
      collection: { resource: { group, version, plural } },
      parse: metadataOnly,
      watchSeconds: 0,
    })
    const stopping = new AbortController()
    informer.listen((change) => {
      if (!stopping.signal.aborted) changed(resource, change)
    })
    const running = informer.run(AbortSignal.any([signal, stopping.signal]))
    return { resource, informer, stopping, running, sinceMs: clock.now() }
  }
}

function metadataOnly({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { managedFields: _managed, annotations: _annotations, ...kept } = metadata
  return { apiVersion, kind, metadata: kept }
}
