import type { ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { isEqual } from '../../lib/json.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { CacheChange, Informer } from '../../runtime/informer.ts'
import type { Informers } from '../../runtime/informers.ts'
import { type PendingKey, done, retry, type Turn, WorkQueue } from '../../runtime/work-queue.ts'
import type { Catalog, PolicyCatalog } from '../catalog/policy-catalog.ts'
import { exceptionKinds, policyKinds } from '../catalog/policy-kinds.ts'
import type { PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse } from '../engine/rule-response.ts'
import type { FetchFacts } from '../facts/evaluate-fully.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { contentHash, scan, scanRequest } from './scanner.ts'
import { scannedKinds } from './scanned-kinds.ts'

/** What a scan of one resource came to. */
export interface Scanned {
  readonly request: PolicyRequest
  readonly responses: readonly PolicyResponse[]
  readonly catalog: Catalog
}

export interface ScanPorts {
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  readonly catalog: PolicyCatalog
  readonly served: ServedKinds
  readonly world: (catalog: Catalog) => Omit<PolicyWorld, 'facts'>
  readonly fetch: (signal: AbortSignal) => FetchFacts
  readonly scanned: (scanned: Scanned) => void
  /** Everything is looked at again so often, for what policies look up elsewhere. */
  readonly everyMs: number
}

/** Changes of policies that come together are taken up together. */
const SETTLE_MS = 30
const CONCURRENCY = 2

interface Followed {
  readonly info: ResourceInfo
  readonly informer: Informer
  readonly stop: () => void
}

const kindKey = ({ group, version, plural }: ResourceInfo): string => `${plural}.${version}.${group}`

/** Asks background policies about every resource they concern: when it changes, when they change, and now and then. */
export class BackgroundScan {
  readonly #ports: ScanPorts
  readonly #queue: WorkQueue
  readonly #followed = new Map<string, Followed>()
  /** What was scanned last: the content of the resource with the policies of then. */
  readonly #seen = new Map<string, string>()
  #round = 0
  #signal: AbortSignal | undefined

  constructor(ports: ScanPorts) {
    this.#ports = ports
    this.#queue = new WorkQueue({
      clock: ports.clock,
      concurrency: CONCURRENCY,
      work: (key, signal) => this.#turn(key, signal).catch((error: unknown) => retry(describeError(error))),
    })
  }

  pending(): readonly PendingKey[] {
    return this.#queue.pending()
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const { informers, clock } = this.#ports
    const leave: (() => void)[] = []
    let isDue = false
    const refresh = (): void => {
      if (isDue) return
      isDue = true
      clock.after(SETTLE_MS, () => {
        isDue = false
        if (!signal.aborted) this.#queue.add(REFRESH)
      })
    }
    const watched = [...policyKinds, ...exceptionKinds, definitions]
    for (const resource of watched) {
      const informer = informers.shared({ collection: { resource } })
      leave.push(
        informer.listen((change) => {
          if (isNews(change)) refresh()
        }),
      )
    }
    const namespaces = informers.shared({
      collection: { resource: { group: '', version: 'v1', plural: 'namespaces' } },
    })
    leave.push(
      namespaces.listen(({ object, previous, type }) => {
        const isRelabelled = type === 'changed' && !isEqual(previous?.metadata.labels, object.metadata.labels)
        if (isRelabelled) this.#rescanNamespace(object.metadata.name ?? '')
      }),
    )
    refresh()
    const cancel = this.#repeat(signal)
    await this.#queue.run(signal)
    cancel()
    for (const stop of leave) stop()
    for (const { stop } of this.#followed.values()) stop()
  }

  #repeat(signal: AbortSignal): () => void {
    const { clock, everyMs } = this.#ports
    let cancel = (): void => {}
    const arm = (): void => {
      cancel = clock.after(everyMs, () => {
        if (signal.aborted) return
        this.#round += 1
        this.#rescanAll()
        arm()
      })
    }
    arm()
    return () => cancel()
  }

  async #turn(key: string, signal: AbortSignal): Promise<Turn> {
    if (key === REFRESH) return this.#refresh()
    const [kind = '', place = ''] = JSON.parse(key) as readonly string[]
    const followed = this.#followed.get(kind)
    const object = followed?.informer.cache.get(place)
    if (!followed || !object || object.metadata.deletionTimestamp !== undefined) {
      this.#seen.delete(key)
      return done
    }
    const { catalog: policies, world, fetch, scanned } = this.#ports
    const catalog = policies.current()
    const mark = `${catalog.generation} ${this.#round} ${contentHash(object)}`
    if (this.#seen.get(key) === mark) return done
    const request = scanRequest(object, followed.info, this.#namespaceOf(object))
    const responses = await scan(request, catalog, { world: world(catalog), fetch: fetch(signal) })
    this.#seen.set(key, mark)
    scanned({ request, responses, catalog })
    return done
  }

  #namespaceOf({ metadata: { namespace } }: KubeObject): KubeObject | undefined {
    if (namespace === undefined) return undefined
    const collection = { resource: { group: '', version: 'v1', plural: 'namespaces' } }
    return this.#ports.informers.shared({ collection }).cache.get(`/${namespace}`)
  }

  /** Follows the kinds that the policies are about now, and looks at all of them again. */
  async #refresh(): Promise<Turn> {
    const { catalog, served, informers } = this.#ports
    const wanted = scannedKinds(catalog.current().set.policies, await served.all(true))
    const keys = new Set(wanted.map(kindKey))
    for (const [key, followed] of this.#followed) {
      if (keys.has(key)) continue
      followed.stop()
      this.#followed.delete(key)
      this.#unsay(followed)
    }
    for (const info of wanted) {
      const key = kindKey(info)
      if (this.#followed.has(key)) continue
      const informer = informers.shared({ collection: { resource: info } })
      const stop = informer.listen((change) => this.#queue.add(JSON.stringify([key, change.key])))
      this.#followed.set(key, { info, informer, stop })
    }
    this.#rescanAll()
    return done
  }

  /** What was said of a kind that nobody asks about any more is said no longer. */
  #unsay({ info, informer }: Followed): void {
    const { catalog: policies, scanned } = this.#ports
    const catalog = policies.current()
    for (const object of informer.cache.list()) {
      this.#seen.delete(JSON.stringify([kindKey(info), keyOf(object)]))
      scanned({ request: scanRequest(object, info, undefined), responses: [], catalog })
    }
  }

  #rescanAll(): void {
    if (this.#signal?.aborted) return
    for (const [key, { informer }] of this.#followed) {
      if (!informer.isSynced) continue
      for (const object of informer.cache.list()) this.#queue.add(JSON.stringify([key, keyOf(object)]))
    }
  }

  #rescanNamespace(namespace: string): void {
    for (const [key, { informer }] of this.#followed) {
      for (const object of informer.cache.list(namespace)) {
        const name = JSON.stringify([key, keyOf(object)])
        this.#seen.delete(name)
        this.#queue.add(name)
      }
    }
  }
}

const keyOf = ({ metadata: { namespace = '', name = '' } }: KubeObject): string => `${namespace}/${name}`

const REFRESH = 'policies'
const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** Only what a policy says counts, not what is said about it. */
function isNews({ type, object, previous }: CacheChange): boolean {
  if (type !== 'changed' || !previous) return true
  return (
    !isEqual(object['spec'], previous['spec']) ||
    !isEqual(object.metadata.annotations, previous.metadata.annotations) ||
    !isEqual(object.metadata.labels, previous.metadata.labels)
  )
}
