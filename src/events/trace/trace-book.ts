import { createHash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Store } from '../../store/store.ts'
import type { TraceSink, TraceStep } from '../sensor/trace-sink.ts'
import { redact, redactText } from './redact.ts'
import { summaryOf, type Trace, type TraceSummary, withStep } from './trace.ts'

export interface TraceBookPorts {
  readonly store: Store<Trace>
  readonly clock: Clock
  readonly log: Log
  /** How many traces are kept; the oldest go first. */
  readonly kept?: number
}

/** Which traces are listed. */
export interface TraceQuery {
  readonly namespace?: string
  /** EVENTSOURCE/EVENT, or an EventSource alone. */
  readonly source?: string
  /** `namespace/name`, or the name alone. */
  readonly sensor?: string
  /** Only those in which something failed. */
  readonly failed?: boolean
  /** Only those that something happened to after this time. */
  readonly afterMs?: number
  readonly limit?: number
}

const KEPT = 5_000
const FLUSH_MS = 250
const HISTORY = 2_000
/** Under load, a moment's worth of traces beyond this is kept in few words only. */
const FULL_PER_FLUSH = 500
const LONGEST_VALUES = 32_768
/** So many wait for the disk at most. */
const MOST_FRESH = 20_000

/** Ids are whatever senders call things; a key has to be short, and of plain characters. */
const keyOf = ({ firstMs, eventId }: Trace): string => {
  const name = /^[\w-]{1,100}$/.test(eventId) ? eventId : createHash('sha256').update(eventId).digest('hex')
  return `trace/${String(firstMs).padStart(15, '0')}-${name}`
}

/**
 * The ways of the newest events, without secrets. Nobody waits for it: steps are gathered and written together a moment later, so a
 * crash may cost the last steps, never an event.
 */
export class TraceBook {
  readonly #ports: TraceBookPorts
  /** By event id, oldest first. */
  readonly #keys = new Map<string, string>()
  /** What is not on disk yet. */
  readonly #fresh = new Map<string, Trace>()

  constructor(ports: TraceBookPorts) {
    this.#ports = ports
    const found = ports.store.range('trace/')
    if (found.ok) for (const { key, value } of found.entries) this.#keys.set(value.eventId, key)
  }

  /** Takes a step down. */
  readonly sink: TraceSink = (step) => {
    if (step.eventId === '') return
    const before = this.#fresh.get(step.eventId) ?? this.#stored(step.eventId)
    const next = withStep(before, this.#fresh.size > FULL_PER_FLUSH * 4 ? bare(step) : clean(step))
    this.#fresh.set(step.eventId, next)
    // On a disk that takes nothing, what is newest is kept.
    const [oldest] = this.#fresh.size > MOST_FRESH ? this.#fresh.keys() : []
    if (oldest !== undefined) this.#fresh.delete(oldest)
    if (!this.#keys.has(step.eventId)) this.#keys.set(step.eventId, keyOf(next))
  }

  get(eventId: string): Trace | undefined {
    return this.#fresh.get(eventId) ?? this.#stored(eventId)
  }

  /** The newest first. */
  list({
    namespace,
    source,
    sensor,
    failed = false,
    afterMs = 0,
    limit = 50,
  }: TraceQuery = {}): readonly TraceSummary[] {
    const found: TraceSummary[] = []
    for (const eventId of [...this.#keys.keys()].toReversed()) {
      if (found.length >= limit) break
      const trace = this.get(eventId)
      if (!trace || trace.lastMs <= afterMs) continue
      if (namespace !== undefined && trace.namespace !== namespace) continue
      if (source !== undefined && trace.source !== source && trace.source?.split('/', 1)[0] !== source) continue
      const summary = summaryOf(trace)
      if (sensor !== undefined && !summary.sensors.some((one) => one === sensor || one.endsWith(`/${sensor}`))) continue
      if (failed && summary.failed === 0 && summary.deadLetters === 0) continue
      found.push(summary)
    }
    return found
  }

  /** Writes what is taken down, again and again, until the signal is aborted; then once more. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, store } = this.#ports
    let compacted = store.revision
    while (!signal.aborted) {
      await clock.sleep(FLUSH_MS, { signal }).catch(() => {
        // The end of the wait is the end of the work: what is left is written below.
      })
      await this.flush().catch((error: unknown) => log.error('traces cannot be written', error))
      // A trace is written again with every few steps; nobody reads what it was before.
      if (signal.aborted || store.revision - compacted < HISTORY) continue
      compacted = store.revision
      await store.compact(compacted).catch((error: unknown) => log.error('old traces cannot be removed', error))
    }
  }

  /** Resolves when everything that was taken down is on disk. */
  async flush(): Promise<void> {
    const { store, kept = KEPT } = this.#ports
    const fresh = [...this.#fresh]
    const writes = fresh.map(([eventId, trace], at) => {
      const key = this.#keys.get(eventId) ?? keyOf(trace)
      const small = at >= FULL_PER_FLUSH ? { ...trace, steps: trace.steps.map(bare) } : trace
      return store.put(key, () => small, 'any')
    })
    const surplus = [...this.#keys].slice(0, Math.max(0, this.#keys.size - kept))
    const forgotten = surplus.map(([eventId, key]) => {
      this.#keys.delete(eventId)
      return store.get(key) ? store.delete(key, () => empty, 'any') : undefined
    })
    await Promise.all([...writes, ...forgotten])
    // What came meanwhile is not on disk yet.
    for (const [eventId, trace] of fresh) if (this.#fresh.get(eventId) === trace) this.#fresh.delete(eventId)
  }

  #stored(eventId: string): Trace | undefined {
    const key = this.#keys.get(eventId)
    return key === undefined ? undefined : this.#ports.store.get(key)?.value
  }
}

const empty: Trace = { eventId: '', firstMs: 0, lastMs: 0, steps: [], left: 0 }

/** A step without secrets, and without values that nobody could read anyway. */
function clean({ values, because, ...step }: TraceStep): TraceStep {
  const told = { ...step, because: redactText(because) }
  if (!values) return told
  const shown = redact(values)
  const isLong = JSON.stringify(shown).length > LONGEST_VALUES
  return {
    ...told,
    values: isLong ? { left: 'the values are too long to be kept' } : (shown as NonNullable<TraceStep['values']>),
  } // redacting keeps an object one
}

/** A step in few words: only what says where an event came from and what was made of it is kept of its values. */
function bare({ values, ...step }: TraceStep): TraceStep {
  const kept = step.step === 'received' || step.step === 'fired' ? values : undefined
  return clean({ ...step, ...(kept ? { values: kept } : {}) })
}
