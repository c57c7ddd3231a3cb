import type { Json } from '../../lib/json.ts'
import type { TraceStep } from '../sensor/trace-sink.ts'

/** The way of one event, as far as it has come. */
export interface Trace {
  readonly eventId: string
  /** `namespace`, `source` as EVENTSOURCE/EVENT, `bus`; absent where only Sensors spoke of it. */
  readonly namespace?: string
  readonly source?: string
  readonly bus?: string
  readonly firstMs: number
  readonly lastMs: number
  /** In the order in which they happened. */
  readonly steps: readonly TraceStep[]
  /** How many steps there were no room for. */
  readonly left: number
}

/** What a list of traces says of one. */
export interface TraceSummary {
  readonly eventId: string
  readonly namespace?: string
  readonly source?: string
  readonly firstMs: number
  readonly lastMs: number
  readonly sensors: readonly string[]
  readonly fired: number
  readonly failed: number
  readonly deadLetters: number
  /** The last thing that was said. */
  readonly because: string
}

const MOST_STEPS = 300

/** A trace with one more step. */
export function withStep(trace: Trace | undefined, step: TraceStep): Trace {
  const values: Readonly<Record<string, Json>> = step.values ?? {}
  const of = trace ?? { eventId: step.eventId, firstMs: step.atMs, lastMs: step.atMs, steps: [], left: 0 }
  const text = (key: string): string | undefined => {
    const value = values[key]
    return typeof value === 'string' ? value : undefined
  }
  const origin =
    step.step === 'received' ? { namespace: text('namespace'), source: text('source'), bus: text('bus') } : {}
  const known = Object.fromEntries(Object.entries(origin).filter(([, value]) => value !== undefined))
  const namespace = of.namespace ?? step.sensor?.split('/', 1)[0]
  const isFull = of.steps.length >= MOST_STEPS
  return {
    ...of,
    ...(namespace === undefined ? {} : { namespace }),
    ...known,
    firstMs: Math.min(of.firstMs, step.atMs),
    lastMs: Math.max(of.lastMs, step.atMs),
    // A Sensor may have been quicker than the word that the event is on disk.
    steps: isFull ? of.steps : step.step === 'received' ? [step, ...of.steps] : [...of.steps, step],
    left: of.left + (isFull ? 1 : 0),
  }
}

/** A trace in few words. */
export function summaryOf({ eventId, namespace, source, firstMs, lastMs, steps }: Trace): TraceSummary {
  const count = (name: TraceStep['step']): number => steps.filter(({ step }) => step === name).length
  return {
    eventId,
    ...(namespace === undefined ? {} : { namespace }),
    ...(source === undefined ? {} : { source }),
    firstMs,
    lastMs,
    sensors: [...new Set(steps.flatMap(({ sensor }) => sensor ?? []))],
    fired: count('fired'),
    failed: count('failed'),
    deadLetters: count('dead-letter'),
    because: lastWordOf(steps),
  }
}

/** What went wrong, else what was done, else what was said last. */
function lastWordOf(steps: readonly TraceStep[]): string {
  const told = ['dead-letter', 'failed', 'fired'].map((name) => steps.findLast(({ step }) => step === name))
  const [last] = told.filter((one) => one !== undefined).toSorted((a, b) => b.atMs - a.atMs)
  return (last ?? steps.at(-1))?.because ?? ''
}
