import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Store } from '../../store/store.ts'
import type { SensorEvent } from '../event.ts'
import type { BusSettings } from './bus-settings.ts'
import { type BusRecord, idOf, keys, type LoggedEvent } from './record.ts'
import { type BusState, OneBus, type Reader } from './one-bus.ts'
import type { EventAddress, Publish, Published } from './publish.ts'

/** What the log of events is made with. */
export interface EventLogPorts {
  readonly store: Store<BusRecord>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
}

const PAGE = 1_000
/** Nobody reads the history of the store: it goes once so many writes are behind. */
const HISTORY = 2_000
const UPKEEP_MS = 1_000

/**
 * Every bus of the cluster on one durable store. An event that was accepted is on disk; who reads asks for what comes after a
 * place, in the order of acceptance, and is woken when there is more.
 */
export class EventLog {
  readonly store: Store<BusRecord>
  readonly #ports: EventLogPorts
  readonly #buses = new Map<string, OneBus>()
  readonly #arriving = new Map<string, Promise<Result<Published>>>()
  readonly #accepted: ReturnType<Metrics['counter']>
  #seq = 0
  /** How many there are who have to begin before anything is taken or forgotten. */
  #holding = 0
  #begun: Promise<unknown> = Promise.resolve()

  /** Reads back what the store holds. */
  constructor(ports: EventLogPorts) {
    this.#ports = ports
    this.store = ports.store
    this.#accepted = ports.metrics.counter('idp_events_accepted_total', 'Events that a bus has on disk, by bus.')
    this.#load()
  }

  /** The place of the newest event that was given one. */
  get head(): number {
    return this.#seq
  }

  /**
   * What is published waits until then, and nothing is forgotten: a bus that is not configured yet is not missing, and a reader that
   * has not joined yet is not gone.
   */
  hold(until: Promise<void>): void {
    this.#holding += 1
    this.#begun = Promise.all([this.#begun, until.then(() => (this.#holding -= 1))])
  }

  /** Says how a bus is to work; from then on it takes events. Undefined when there is no such bus any more. */
  configure(namespace: string, name: string, settings: BusSettings | undefined): void {
    const bus = this.#bus(namespace, name)
    bus.settings = settings
    if (settings) bus.wake()
  }

  /** How a bus is doing. */
  stateOf(namespace: string, name: string): BusState {
    return this.#bus(namespace, name).state()
  }

  readonly publish: Publish = (to, event) => {
    const id = event.context.id ?? ''
    const named = id === '' ? { ...event, context: { ...event.context, id: this.#ports.ids.uid() } } : event
    const key = JSON.stringify([to.namespace, to.busName, to.eventSourceName, to.eventName, named.context.id])
    const known = this.#arriving.get(key)
    // Told twice at once: the second is a repeat only when the first has come to stay.
    if (known) return known.then((first) => (first.ok ? succeed({ isRepeat: true }) : first))
    const arriving = this.#accept(to, named).finally(() => this.#arriving.delete(key))
    this.#arriving.set(key, arriving)
    return arriving
  }

  /** At most so many events of a bus that come after a place, in order. */
  after(namespace: string, busName: string, seq: number, limit: number): readonly LoggedEvent[] {
    const bus = this.#bus(namespace, busName)
    const recent = bus.recentAfter(seq, limit)
    if (recent) return recent
    const prefix = keys.bus(namespace, busName)
    const page = this.store.range(prefix, { after: keys.event(namespace, busName, seq), limit })
    return page.ok ? page.entries.flatMap(({ value }) => (value.is === 'event' ? [value] : [])) : []
  }

  /** The events of a namespace with an id, on any of its buses. */
  find(namespace: string, eventId: string): readonly LoggedEvent[] {
    const buses = [...this.#buses.values()].filter((bus) => bus.namespace === namespace)
    return buses.flatMap((bus) =>
      bus.placesOf(idOf(eventId)).flatMap((seq) => {
        const value = this.store.get(keys.event(namespace, bus.name, seq))?.value
        return value?.is === 'event' ? [value] : []
      }),
    )
  }

  /** Takes part in what a bus keeps, in the place of whoever had this name: nothing that it has still to read is forgotten. */
  join(namespace: string, busName: string, name: string, reader: Reader): void {
    this.#bus(namespace, busName).readers.set(name, reader)
  }

  /** Is waited for no more: what it has not read may be forgotten. */
  leave(namespace: string, busName: string, name: string): void {
    this.#bus(namespace, busName).readers.delete(name)
  }

  /** The place before the first event that was accepted at a time or later. */
  placeBefore(namespace: string, busName: string, acceptedMs: number): number {
    return this.#bus(namespace, busName).placeBefore(acceptedMs) ?? this.#seq
  }

  /** Forgets what is too old or too much, and the store's history, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports
    let compacted = this.store.revision
    while (!signal.aborted) {
      await clock.sleep(UPKEEP_MS, { signal }).catch(() => {})
      if (signal.aborted) return
      if (this.#holding > 0) continue
      try {
        for (const bus of this.#buses.values()) await bus.trim(clock.now())
        if (this.store.revision - compacted < HISTORY) continue
        compacted = this.store.revision
        await this.store.compact(compacted)
      } catch (error) {
        log.error('old events cannot be removed', error)
      }
    }
  }

  #bus(namespace: string, name: string): OneBus {
    const key = `${namespace}/${name}`
    const known = this.#buses.get(key)
    if (known) return known
    const made = new OneBus(namespace, name, this.store)
    this.#buses.set(key, made)
    return made
  }

  async #accept(to: EventAddress, event: SensorEvent): Promise<Result<Published>> {
    const { namespace, busName, eventSourceName, eventName } = to
    if (this.#holding > 0) await this.#begun
    const bus = this.#bus(namespace, busName)
    const { settings } = bus
    if (!settings) return missing(to)
    const size = sizeOf(event)
    if (size > settings.maxPayloadBytes)
      return fail({
        code: 'event-too-large',
        at: `${eventSourceName}/${eventName}`,
        message: `the event has ${size} bytes, more than the ${settings.maxPayloadBytes} that EventBus ${namespace}/${busName} takes`,
        cure: 'send less, or raise spec.jetstream.maxPayload of the EventBus',
      })
    const identity = identityOf(eventSourceName, eventName, event)
    if (bus.has(identity)) return succeed({ isRepeat: true })
    const over = bus.overBy(size)
    const full = over && bus.blockedBy(over)
    if (full !== undefined)
      return fail({
        code: 'event-bus-full',
        at: `${namespace}/${busName}`,
        message: `EventBus ${namespace}/${busName} is full: ${full}`,
        cure: 'send it again later, look at what holds the Sensors up, or raise maxMsgs and maxBytes of the EventBus',
      })
    // Room is made for a few more, so that not every event has to.
    if (over) this.#tidy(bus.trim(this.#ports.clock.now(), { ...over, count: over.count + 100 }))
    bus.reserve(size)
    const seq = ++this.#seq
    const acceptedMs = this.#ports.clock.now()
    const logged: LoggedEvent = { is: 'event', seq, acceptedMs, eventSourceName, eventName, event }
    try {
      await this.store.put(keys.event(namespace, busName, seq), () => logged, 'any')
    } catch (cause) {
      bus.release(size)
      throw new Error(`cannot keep event ${event.context.id ?? ''} of ${eventSourceName}/${eventName}`, { cause })
    }
    bus.append(logged, { identity, size, isReserved: true })
    this.#accepted.with({ namespace, eventbus_name: busName }).add()
    bus.wake()
    return succeed({ isRepeat: false })
  }

  #tidy(trimming: Promise<void>): void {
    trimming.catch((error: unknown) => this.#ports.log.error('old events cannot be removed', error))
  }

  #load(): void {
    for (let after: string | undefined, more = true; more;) {
      const page = this.store.range('event/', { limit: PAGE, ...(after === undefined ? {} : { after }) })
      if (!page.ok) return
      more = page.more
      for (const { key, value } of page.entries) {
        after = key
        if (value.is !== 'event') continue
        const [, namespace = '', name = ''] = key.split('/').map(decodeURIComponent)
        const identity = identityOf(value.eventSourceName, value.eventName, value.event)
        this.#bus(namespace, name).append(value, { identity, size: sizeOf(value.event), isReserved: false })
        this.#seq = Math.max(this.#seq, value.seq)
      }
    }
    // What was forgotten had a place too, and a cursor may stand there.
    for (let after: string | undefined, more = true; more;) {
      const page = this.store.range('cursor/', { limit: PAGE, ...(after === undefined ? {} : { after }) })
      if (!page.ok) return
      more = page.more
      for (const { key, value } of page.entries) {
        after = key
        if (value.is === 'cursor') this.#seq = Math.max(this.#seq, value.seq)
      }
    }
  }
}

const missing = ({ namespace, busName }: EventAddress): Result<never> =>
  fail({
    code: 'event-bus-missing',
    at: `${namespace}/${busName}`,
    message: `there is no EventBus ${JSON.stringify(busName)} in namespace ${namespace} that is ready`,
    cure: 'create it, or look at its status',
  })

/** Sources and what they send are told apart, so that two sources may number their events alike. */
const identityOf = (eventSourceName: string, eventName: string, { context }: SensorEvent): string =>
  `${idOf(context.id ?? '')}\n${eventSourceName}\n${eventName}`

/** What an event weighs: its data in bytes, with a little for its attributes. */
const sizeOf = ({ data = '' }: SensorEvent): number => Buffer.byteLength(data) + 200
