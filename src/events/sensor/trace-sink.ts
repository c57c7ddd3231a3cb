import type { Json } from '../../lib/json.ts'

/** What happened to an event at one place of its way. */
export type TraceStepName =
  | 'received'
  | 'filtered'
  | 'conditioned'
  | 'resolved'
  | 'fired'
  | 'failed'
  | 'retried'
  | 'dead-letter'

/** One step of the way of an event, as it is told while it happens. */
export interface TraceStep {
  readonly atMs: number
  readonly eventId: string
  /** `namespace/name`; absent before a Sensor had to do with it. */
  readonly sensor?: string
  readonly trigger?: string
  readonly dependency?: string
  readonly step: TraceStepName
  readonly because: string
  /** What was compared, resolved or answered; never a secret. */
  readonly values?: Readonly<Record<string, Json>>
}

/** Takes steps as they happen; it must not throw and nobody waits for it. */
export type TraceSink = (step: TraceStep) => void

/** Nobody follows. */
export const noTrace: TraceSink = () => {}
