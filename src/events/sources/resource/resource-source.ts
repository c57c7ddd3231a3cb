import type { Client } from '../../../kube/client.ts'
import type { Clock } from '../../../lib/clock.ts'
import { fieldsOf, objectsOf, textOf, textsOf } from '../../../lib/fields.ts'
import type { Log } from '../../../lib/log.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import { Informer, type CacheChange } from '../../../runtime/informer.ts'
import type { Store } from '../../../store/store.ts'
import type { Dispatch } from '../dispatch.ts'
import { retryDelayMs } from '../retry-delay.ts'
import type { MakeSource, Source } from '../source.ts'
import { changesOf, missedDeletions, resourceData, toKnown } from './changes.ts'
import { type ChangeFilter, type ChangeType, compileChangeFilter, type ObjectChange } from './filter.ts'
import { labelSelectorOf } from './label-selector.ts'
import { ResourceMemory, type ResourceRecord } from './resource-memory.ts'

/** What the ServiceAccount of an EventSource has to be allowed, and is not; asked of the cluster. */
export type MissingRights = (
  account: Account,
  rights: readonly {
    readonly verb: string
    readonly group: string
    readonly resource: string
    readonly namespace?: string
  }[],
  signal: AbortSignal,
) => Promise<readonly Problem[]>

export interface ResourcePorts {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** Remembers, over restarts, what has been told. */
  readonly store: Store<ResourceRecord>
  readonly missingRights: MissingRights
  /** A way to the cluster in the name of a ServiceAccount, where that can be had; else what it may is asked before anything is looked at. */
  readonly clientAs?: (account: Account) => Client
}

/** A ServiceAccount. */
export interface Account {
  readonly namespace: string
  readonly name: string
}

type Fields = Readonly<Record<string, unknown>>

/** Makes watches of objects: every change is told once, those too that happened while nobody was looking. */
export function resourceSource(ports: ResourcePorts): MakeSource {
  return ({ entry, object, dispatch, onTrouble }) => {
    const { namespace = '', uid = '' } = object.metadata
    const account = textOf(fieldsOf(object['spec'], 'template'), 'serviceAccountName') || 'default'
    return new ResourceWatch({
      ...ports,
      spec: entry.spec,
      account: { namespace, name: account },
      memoryName: JSON.stringify([uid, entry.eventName, selectionOf(entry.spec)]),
      dispatch,
      onTrouble,
    })
  }
}

/** What decides which objects are looked at: with another selection, what was told before says nothing. */
const selectionOf = (spec: Fields): readonly string[] => [
  ...['group', 'version', 'resource', 'namespace'].map((name) => textOf(spec, name)),
  JSON.stringify(fieldsOf(spec, 'filter')['labels'] ?? null),
]

interface WatchParts extends ResourcePorts {
  readonly spec: Fields
  readonly account: Account
  readonly memoryName: string
  readonly dispatch: Dispatch
  readonly onTrouble: () => void
}

/** More than this waits in the cluster and not in memory: it is found again by what is remembered. */
const MOST_WAITING = 10_000
const AT_ONCE = 64
/** How often it is asked whether the account may still look. */
const RIGHTS_MS = 30_000
const SYNC_CHECK_MS = 1_000

class ResourceWatch implements Source {
  readonly #parts: WatchParts
  readonly #types: ReadonlySet<string>
  #trouble: string | undefined
  #isReading = true
  #waiting: ObjectChange[] = []
  #overflowed = false
  #wake: () => void = () => {}

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#types = new Set(textsOf(parts.spec, 'eventTypes') ?? [])
  }

  trouble(): string | undefined {
    return this.#trouble
  }

  isStarting(): boolean {
    return this.#isReading
  }

  async retire(next: Source | undefined): Promise<void> {
    // The same objects are looked at: what was told of them was told.
    if (next instanceof ResourceWatch && next.#parts.memoryName === this.#parts.memoryName) return
    await ResourceMemory.erase(this.#parts.store, this.#parts.memoryName)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    while (!signal.aborted) {
      const missing = await this.#missingRights(signal)
      if (missing.length === 0) await this.#watch(signal)
      else {
        this.#say(missing.map(explain).join('; '))
        await clock.sleep(SYNC_CHECK_MS * 5, { signal }).catch(() => {})
      }
    }
  }

  async #missingRights(signal: AbortSignal): Promise<readonly Problem[]> {
    const { spec, account, missingRights } = this.#parts
    const namespace = textOf(spec, 'namespace')
    const on = { group: textOf(spec, 'group'), resource: textOf(spec, 'resource'), ...(namespace ? { namespace } : {}) }
    return missingRights(
      account,
      [
        { verb: 'list', ...on },
        { verb: 'watch', ...on },
      ],
      signal,
    )
  }

  /** Watches for as long as the account may. */
  async #watch(outer: AbortSignal): Promise<void> {
    const { clock, log, store, memoryName, spec, account, clientAs } = this.#parts
    const client = clientAs?.(account) ?? this.#parts.client
    const stopping = new AbortController()
    const signal = AbortSignal.any([outer, stopping.signal])
    const memory = await ResourceMemory.open(store, memoryName, clock.now())
    const labels = labelSelectorOf(objectsOf(fieldsOf(spec, 'filter'), 'labels') ?? [])
    const namespace = textOf(spec, 'namespace')
    const informer = new Informer({
      client,
      clock,
      log,
      collection: {
        resource: { group: textOf(spec, 'group'), version: textOf(spec, 'version'), plural: textOf(spec, 'resource') },
        ...(namespace ? { namespace } : {}),
      },
      ...(labels.ok && labels.value !== '' ? { labelSelector: labels.value } : {}),
    })
    const reading = informer.run(signal)
    const lost = this.#untilRightsAreLost(signal).then(() => stopping.abort(new Error('the rights are gone')))
    let leave: () => void = () => {}
    try {
      await this.#synced(informer, signal)
      this.#waiting = []
      this.#overflowed = false
      for (const change of missedDeletions(informer.cache, memory.known)) this.#add(change)
      leave = informer.listen((change) => this.#hear(change, memory))
      await this.#work(informer, memory, signal)
    } finally {
      leave()
      stopping.abort(new Error('the watch has ended'))
      await Promise.all([reading, lost])
    }
  }

  async #untilRightsAreLost(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#parts.clock.sleep(RIGHTS_MS, { signal }).catch(() => {})
      if (signal.aborted || (await this.#missingRights(signal).catch(() => [])).length > 0) return
    }
  }

  async #synced(informer: Informer, signal: AbortSignal): Promise<void> {
    let isSynced = false
    const synced = informer.synced(signal).then(
      () => void (isSynced = true),
      () => void (isSynced = true),
    )
    while (!isSynced && !signal.aborted) {
      await Promise.race([synced, this.#parts.clock.sleep(SYNC_CHECK_MS, { signal }).catch(() => {})])
      this.#say(isSynced ? undefined : informer.trouble)
    }
    this.#isReading = false
    this.#parts.onTrouble()
  }

  #hear(change: CacheChange, memory: ResourceMemory): void {
    for (const one of changesOf(change, memory.known)) this.#add(one)
  }

  #add(change: ObjectChange): void {
    if (this.#overflowed) return
    this.#overflowed = this.#waiting.length >= MOST_WAITING
    if (!this.#overflowed) this.#waiting.push(change)
    this.#wake()
  }

  async #work(informer: Informer, memory: ResourceMemory, signal: AbortSignal): Promise<void> {
    const filter = compileChangeFilter(this.#parts.spec, memory.startedMs)
    while (!signal.aborted) {
      if (this.#waiting.length === 0 && this.#overflowed) this.#refill(informer, memory)
      const batch = this.#waiting.splice(0, AT_ONCE)
      if (batch.length === 0) await this.#untilWoken(signal)
      else await this.#tell(batch, { filter, memory }, signal)
    }
  }

  /** What was too much to hold is worked out again from what there is and what has been told. */
  #refill(informer: Informer, memory: ResourceMemory): void {
    this.#overflowed = false
    for (const change of missedDeletions(informer.cache, memory.known)) this.#add(change)
    for (const object of informer.cache.list()) this.#hear({ type: 'added', key: '', object }, memory)
  }

  #untilWoken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        signal.removeEventListener('abort', end)
        this.#wake = () => {}
        resolve()
      }
      this.#wake = end
      signal.addEventListener('abort', end, { once: true })
    })
  }

  /** Tells changes in their order; then they are remembered. What is told twice over that has one id, and is one event. */
  async #tell(
    batch: readonly ObjectChange[],
    { filter, memory }: { readonly filter: ChangeFilter; readonly memory: ResourceMemory },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, dispatch, spec } = this.#parts
    const wanted = batch.filter((change) => this.#types.has(change.type) && filter(change, clock.now()))
    for (let failures = 0; wanted.length > 0; failures += 1) {
      const told = await Promise.all(
        wanted.map((change) => dispatch({ data: resourceData(change, spec), identity: identityOf(change) })),
      )
      const failed = told.find((one) => !one.ok)
      this.#say(failed && !failed.ok ? failed.error.map(({ message }) => message).join('; ') : undefined)
      if (!failed) break
      await clock.sleep(retryDelayMs(failures), { signal }).catch(() => {})
      if (signal.aborted) return
    }
    await Promise.all(batch.map((change) => this.#remember(change, memory)))
  }

  #remember({ type, object }: ObjectChange, memory: ResourceMemory): Promise<void> {
    if (type === 'DELETE') return memory.forget(object.metadata.uid ?? '')
    // Nobody asks for updates: which version was seen last does not matter, and is not written.
    if (type === 'UPDATE' && !this.#types.has('UPDATE')) return Promise.resolve()
    return memory.remember(toKnown(object))
  }

  #say(trouble: string | undefined): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#parts.onTrouble()
  }
}

function identityOf({ type, object }: ObjectChange): string {
  const { uid = '', resourceVersion = '' } = object.metadata
  const which: Readonly<Record<ChangeType, string>> = { ADD: uid, UPDATE: `${uid} ${resourceVersion}`, DELETE: uid }
  return `${type} ${which[type]}`
}
