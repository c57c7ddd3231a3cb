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

/** So many steps a trace has at most. */
export const MOST_STEPS = 300

/** A trace with more steps, and with so many that nobody took down. */
export function withSteps(trace: Trace | undefined, more: readonly TraceStep[], left: number = 0): Trace | undefined {
  const [first] = more
  if (!trace && !first) return undefined
  const room = MOST_STEPS - (trace?.steps.length ?? 0)
  const taken = more.slice(0, Math.max(0, room))
  const origin = originOf(trace, more)
  const times = more.map(({ atMs }) => atMs)
  const known = trace ? [trace.firstMs, trace.lastMs] : []
  return {
    eventId: trace?.eventId ?? first?.eventId ?? '',
    ...origin,
    firstMs: Math.min(...known, ...times),
    lastMs: Math.max(...known, ...times),
    // A Sensor may have been quicker than the word that the event is on disk.
    steps: [...(trace?.steps ?? []), ...taken].toSorted((one, other) => rank(one) - rank(other)),
    left: (trace?.left ?? 0) + left + more.length - taken.length,
  }
}

/** Where an event came from, as far as anybody has said. */
function originOf(trace: Trace | undefined, more: readonly TraceStep[]): Pick<Trace, 'namespace' | 'source' | 'bus'> {
  const values = more.find(({ step }) => step === 'received')?.values
  const ofSensor = more.find(({ sensor }) => sensor !== undefined)?.sensor?.split('/', 1)[0]
  const told: Record<string, unknown> = {
    namespace: values?.['namespace'] ?? trace?.namespace ?? ofSensor,
    source: values?.['source'] ?? trace?.source,
    bus: values?.['bus'] ?? trace?.bus,
  }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => typeof value === 'string'))
}

const rank = ({ step }: TraceStep): number => (step === 'received' ? 0 : 1)

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
