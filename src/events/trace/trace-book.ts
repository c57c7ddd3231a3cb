import { createHash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Store } from '../../store/store.ts'
import type { TraceSink, TraceStep } from '../sensor/trace-sink.ts'
import { redact, redactText } from './redact.ts'
import { MOST_STEPS, summaryOf, type Trace, type TraceSummary, withSteps } from './trace.ts'

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
/** So many traces of a moment have all of their steps; of others only what was done is kept. */
const WHOLE_PER_WINDOW = 50
/** So many begin in a moment; beyond that, only those of which something fails. */
const MOST_PER_WINDOW = 150
const LONGEST_VALUES = 32_768
/** So many wait for the disk at most. */
const MOST_FRESH = 20_000

/** Ids are whatever senders call things; a key has to be short, and of plain characters. */
const keyOf = (firstMs: number, eventId: string): string => {
  const name = /^[\w-]{1,100}$/.test(eventId) ? eventId : createHash('sha256').update(eventId).digest('hex')
  return `trace/${String(firstMs).padStart(15, '0')}-${name}`
}

/** The steps of an event that are not on disk yet. */
interface Fresh {
  readonly steps: TraceStep[]
  left: number
  readonly window: number
  readonly isWhole: boolean
}

/** Steps that say how it came to what was done. */
const byTheWay: ReadonlySet<TraceStep['step']> = new Set(['filtered', 'conditioned', 'resolved'] as const)
const trouble: ReadonlySet<TraceStep['step']> = new Set(['failed', 'retried', 'dead-letter'] as const)

/**
 * The ways of the newest events, without secrets. Nobody waits for it: steps are gathered and written together a moment later, so a
 * crash may cost the last steps, never an event.
 */
export class TraceBook {
  readonly #ports: TraceBookPorts
  /** By event id, oldest first. */
  readonly #keys = new Map<string, string>()
  /** What is not on disk yet. */
  readonly #fresh = new Map<string, Fresh>()
  /** Between two flushes; what began in it waits for the next, so that most traces are written once. */
  #window = 0
  #begun = 0

  constructor(ports: TraceBookPorts) {
    this.#ports = ports
    const found = ports.store.range('trace/')
    if (found.ok) for (const { key, value } of found.entries) this.#keys.set(value.eventId, key)
  }

  /** Takes a step down; it is looked at later, since many steps come at once. */
  readonly sink: TraceSink = (step) => {
    const { eventId } = step
    if (eventId === '') return
    let fresh = this.#fresh.get(eventId)
    if (!fresh) {
      if (this.#begun >= MOST_PER_WINDOW && !trouble.has(step.step) && !this.#keys.has(eventId)) return
      fresh = { steps: [], left: 0, window: this.#window, isWhole: this.#begun < WHOLE_PER_WINDOW }
      this.#begun += 1
      this.#fresh.set(eventId, fresh)
      if (!this.#keys.has(eventId)) this.#keys.set(eventId, keyOf(step.atMs, eventId))
      // On a disk that takes nothing, what is newest is kept.
      const [oldest] = this.#fresh.size > MOST_FRESH ? this.#fresh.keys() : []
      if (oldest !== undefined) this.#fresh.delete(oldest)
    }
    const isTold = fresh.isWhole || !byTheWay.has(step.step)
    if (isTold && fresh.steps.length < MOST_STEPS) fresh.steps.push(step)
    else fresh.left += 1
  }

  get(eventId: string): Trace | undefined {
    const fresh = this.#fresh.get(eventId)
    const stored = this.#stored(eventId)
    return fresh ? withSteps(stored, fresh.steps.map(clean), fresh.left) : stored
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
      const upTo = signal.aborted ? Number.POSITIVE_INFINITY : this.#window
      await this.flush(upTo).catch((error: unknown) => log.error('traces cannot be written', error))
      // A trace is written again with every few steps; nobody reads what it was before.
      if (signal.aborted || store.revision - compacted < HISTORY) continue
      compacted = store.revision
      await store.compact(compacted).catch((error: unknown) => log.error('old traces cannot be removed', error))
    }
  }

  /** Resolves when everything that was begun before a window is on disk; without one, everything. */
  async flush(before: number = Number.POSITIVE_INFINITY): Promise<void> {
    const { store, kept = KEPT } = this.#ports
    this.#window += 1
    this.#begun = 0
    const due = [...this.#fresh].filter(([, { window }]) => window < before)
    const writes = due.map(([eventId, { steps }]) => {
      const trace = this.get(eventId)
      const key = this.#keys.get(eventId) ?? keyOf(steps[0]?.atMs ?? 0, eventId)
      this.#keys.set(eventId, key)
      return trace ? store.put(key, () => trace, 'any') : undefined
    })
    const surplus = [...this.#keys].slice(0, Math.max(0, this.#keys.size - kept))
    const forgotten = surplus.map(([eventId, key]) => {
      this.#keys.delete(eventId)
      return store.get(key) ? store.delete(key, () => empty, 'any') : undefined
    })
    const written = due.map(([eventId, { steps, left }]) => ({ eventId, steps: steps.length, left }))
    await Promise.all([...writes, ...forgotten])
    for (const { eventId, steps, left } of written) {
      const fresh = this.#fresh.get(eventId)
      if (!fresh) continue
      // What came meanwhile is not on disk yet.
      fresh.steps.splice(0, steps)
      fresh.left -= left
      if (fresh.steps.length === 0 && fresh.left <= 0) this.#fresh.delete(eventId)
    }
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
