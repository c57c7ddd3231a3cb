import type { Result } from '../../lib/result.ts'
import type { SensorEvent } from '../event.ts'

/** Where an event belongs: the bus of a namespace, and which event of which EventSource it is. */
export interface EventAddress {
  readonly namespace: string
  /** `default` where the EventSource names none. */
  readonly busName: string
  readonly eventSourceName: string
  readonly eventName: string
}

/** What the bus says of an event that it holds. */
export interface Published {
  /** The bus had an event with this id at this address already, and kept that one alone. */
  readonly isRepeat: boolean
}

/**
 * Hands an event to a bus. Resolves only when the event is on disk; then nothing loses it any more. A source that may be
 * told the same thing twice gives both tellings one id (`context.id`). A failure (no such bus, no room) means that nothing was
 * kept and that the source may try again.
 */
export type Publish = (to: EventAddress, event: SensorEvent) => Promise<Result<Published>>
