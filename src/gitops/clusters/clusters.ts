import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { isEqual } from '../../lib/json.ts'
import type { Log } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { type RemoteClient, remoteClient } from '../../client/remote-client.ts'
import { LiveCluster, type LiveSettings } from '../live/live-cluster.ts'
import { type ClusterEntry, IN_CLUSTER, IN_CLUSTER_SERVER, ownCluster, parseClusterSecret } from './cluster-secret.ts'

export interface ClustersOptions {
  readonly client: Client
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** 0 where the own cluster is in this process. */
  readonly watchSeconds?: number
  /** Hears of a cluster when it begins to be looked at. */
  readonly opened: (cluster: OpenCluster) => void
  /** Makes the client of a foreign cluster; only tests need another. */
  readonly connect?: (entry: ClusterEntry) => RemoteClient
}

/** A cluster that some Application goes to: its facts, and what lives in it. */
export interface OpenCluster {
  readonly entry: ClusterEntry
  readonly live: LiveCluster
}

interface Held extends OpenCluster {
  readonly stopping: AbortController
  readonly running: Promise<void>
}

/** The clusters that an installation knows. One is looked at from when the first Application asks for it. */
export class Clusters {
  readonly #options: ClustersOptions
  readonly #entries = new Map<string, ClusterEntry>()
  readonly #held = new Map<string, Held>()
  #settings: LiveSettings
  #signal: AbortSignal | undefined

  constructor(options: ClustersOptions, settings: LiveSettings) {
    this.#options = options
    this.#settings = settings
    this.#entries.set(IN_CLUSTER_SERVER, ownCluster)
  }

  /** From here on clusters are looked at, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.all([...this.#held.values()].map(({ running }) => running))
  }

  /** Every cluster that can be named. */
  entries(): readonly ClusterEntry[] {
    return [...this.#entries.values()]
  }

  /** Takes the Secrets as they are now; answers the servers that have become different, or are gone. */
  update(secrets: readonly KubeObject[]): readonly string[] {
    const wanted = new Map<string, ClusterEntry>([[IN_CLUSTER_SERVER, ownCluster]])
    for (const secret of secrets) {
      const parsed = parseClusterSecret(secret)
      if (parsed.ok) wanted.set(parsed.value.server, parsed.value)
      else this.#options.log.warn('a cluster Secret is left out', { because: parsed.error[0]?.message })
    }
    const changed: string[] = []
    for (const server of new Set([...wanted.keys(), ...this.#entries.keys()])) {
      const [before, after] = [this.#entries.get(server), wanted.get(server)]
      if (isEqual(before, after)) continue
      changed.push(server)
      if (after) this.#entries.set(server, after)
      else this.#entries.delete(server)
      const held = this.#held.get(server)
      if (held && !isEqual(held.entry.access, after?.access)) {
        held.stopping.abort(new Error('the cluster has changed'))
        this.#held.delete(server)
      } else if (held && after) this.#held.set(server, { ...held, entry: after })
    }
    return changed
  }

  /** Uses other settings for everything that is looked at. */
  configure(settings: LiveSettings): void {
    this.#settings = settings
    for (const { live } of this.#held.values()) live.configure(settings)
  }

  /** The cluster that a destination names. */
  find(destination: { readonly server?: string; readonly name?: string }): ClusterEntry | undefined {
    const { server = '', name = '' } = destination
    if (server !== '' && name !== '') return undefined
    if (name === '') return this.#entries.get(server.replace(/\/+$/, ''))
    const named = this.entries().filter((entry) => entry.name === name)
    if (named.length > 1) return undefined
    return named[0] ?? (name === IN_CLUSTER ? this.#entries.get(IN_CLUSTER_SERVER) : undefined)
  }

  /** What lives in a cluster; looked at from now on. */
  open(entry: ClusterEntry): Result<OpenCluster> {
    const held = this.#held.get(entry.server)
    if (held) return succeed(held)
    const signal = this.#signal
    if (!signal || signal.aborted) {
      return fail({ code: 'cluster-not-reachable', at: entry.server, message: 'clusters are not looked at yet' })
    }
    const { client, clock, ids, log, watchSeconds, opened, connect } = this.#options
    const remote = entry.access ? (connect ?? ((one) => this.#connect(one, { clock, ids })))(entry) : undefined
    const live = new LiveCluster({
      client: remote ?? client,
      server: entry.server,
      clock,
      log: log.child({ cluster: entry.name }),
      settings: this.#settings,
      ...(!remote && watchSeconds !== undefined ? { watchSeconds } : {}),
    })
    const stopping = new AbortController()
    const both = AbortSignal.any([signal, stopping.signal])
    const running = live
      .run(both)
      .catch((error: unknown) => log.error('a cluster is no longer looked at', error, { cluster: entry.name }))
      .then(() => remote?.close())
    const made = { entry, live, stopping, running }
    this.#held.set(entry.server, made)
    opened(made)
    return succeed(made)
  }

  #connect({ access }: ClusterEntry, { clock, ids }: { readonly clock: Clock; readonly ids: Ids }): RemoteClient {
    if (!access) throw new Error('a cluster without access is our own')
    return remoteClient({ access, clock, ids, environment: {}, userAgent: 'idp-gitops' })
  }
}
