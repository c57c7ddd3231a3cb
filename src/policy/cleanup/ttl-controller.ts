import type { Client, ResourceInfo } from '../../kube/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { Informer } from '../../runtime/informer.ts'
import type { Informers } from '../../runtime/informers.ts'
import { again, done, type PendingKey, retry, type Turn, WorkQueue } from '../../runtime/work-queue.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { endOfLife, TTL_LABEL } from './time-to-live.ts'

export interface TtlPorts {
  /** In the name of the cleanup account: what it may not delete stays. */
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  readonly served: ServedKinds
}

const REFRESH = 'kinds'
const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
/** Something that may not be deleted now may be allowed later. */
const FORBIDDEN_RETRY_MS = 60_000

/** Deletes what carries the label when its time is over. */
export class TtlCleanup {
  readonly #ports: TtlPorts
  readonly #queue: WorkQueue
  readonly #followed = new Map<string, { readonly info: ResourceInfo; readonly informer: Informer }>()

  constructor(ports: TtlPorts) {
    this.#ports = ports
    this.#queue = new WorkQueue({
      clock: ports.clock,
      work: (key, signal) => this.#turn(key, signal).catch((error: unknown) => retry(describeError(error))),
    })
  }

  pending(): readonly PendingKey[] {
    return this.#queue.pending()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers } = this.#ports
    const leave = informers
      .shared({ collection: { resource: definitions } })
      .listen(({ type }) => type !== 'changed' && this.#queue.addAfter(REFRESH, SETTLE_MS))
    this.#queue.add(REFRESH)
    await this.#queue.run(signal)
    leave()
  }

  async #turn(key: string, signal: AbortSignal): Promise<Turn> {
    if (key === REFRESH) return this.#refresh()
    const { client, clock, log } = this.#ports
    const [kind = '', place = ''] = JSON.parse(key) as readonly string[]
    const followed = this.#followed.get(kind)
    const object = followed?.informer.cache.get(place)
    if (!followed || !object || object.metadata.deletionTimestamp !== undefined) return done
    const endMs = endOfLife(object)
    if (endMs === undefined) return done
    if (endMs > clock.now()) return again(endMs - clock.now(), 'its time is not over yet')
    const { namespace, name = '', uid } = object.metadata
    const target = { resource: followed.info, ...(namespace === undefined ? {} : { namespace }), name }
    const gone = await client.delete(target, { signal, ...(uid === undefined ? {} : { preconditions: { uid } }) })
    if (gone.ok || gone.error.reason === 'NotFound' || gone.error.reason === 'Conflict') return done
    if (gone.error.reason !== 'Forbidden') return retry(gone.error.message)
    log.warn('an object whose time is over may not be deleted', {
      kind: object.kind,
      name,
      because: gone.error.message,
    })
    return again(FORBIDDEN_RETRY_MS, 'it may not be deleted')
  }

  /** Follows every kind that can be deleted; only objects with the label are held. */
  async #refresh(): Promise<Turn> {
    const { served, informers } = this.#ports
    for (const info of await served.all(true)) {
      const key = `${info.plural}.${info.group}`
      const isDeletable = ['list', 'watch', 'delete'].every((verb) => info.verbs.includes(verb))
      if (info.subresource !== undefined || !isDeletable || this.#followed.has(key)) continue
      const informer = informers.shared({ collection: { resource: info }, labelSelector: TTL_LABEL })
      this.#followed.set(key, { info, informer })
      informer.listen((change) => this.#queue.add(JSON.stringify([key, change.key])))
    }
    return done
  }
}

const SETTLE_MS = 100
