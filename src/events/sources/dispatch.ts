import { createHash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { explain, fail, type Result, succeed } from '../../lib/result.ts'
import type { EventAddress, Publish } from '../bus/publish.ts'
import type { SensorEvent } from '../event.ts'
import { type EventFilter, noFilter } from './event-filter.ts'
import type { SourceMetrics } from './source-metrics.ts'

/** What became of an event that a source made. */
export type Outcome = 'published' | 'repeated' | 'filtered'

/** An event as its source made it. */
export interface SourceEvent {
  readonly data: string
  /** What makes it the same event when it is told again; without it every telling is an event of its own. */
  readonly identity?: string
  /** When it happened; now where nobody says. */
  readonly timeMs?: number
}

/** Takes an event of one source to its bus. Resolves when the event is on disk, or when it is known that it will not be. */
export type Dispatch = (event: SourceEvent) => Promise<Result<Outcome>>

export interface DispatchPorts {
  readonly publish: Publish
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: SourceMetrics
}

/** Whose events these are. */
export interface DispatchOptions {
  readonly to: EventAddress
  /** The `type` of its CloudEvents. */
  readonly type: string
  readonly filter?: EventFilter
  /** Told why the filter could not judge an event. */
  readonly onFilterFailure?: (because: string) => void
}

/** Makes CloudEvents of what a source tells, leaves out what its filter does not want, and publishes the rest. */
export function dispatcher(options: DispatchOptions, ports: DispatchPorts): Dispatch {
  const { to, type, filter = noFilter, onFilterFailure } = options
  const { publish, clock, ids, metrics } = ports
  const log = ports.log.child({ namespace: to.namespace, eventSource: to.eventSourceName, event: to.eventName })
  const counts = metrics.of(to)
  return async ({ data, identity, timeMs }) => {
    counts.received.add()
    const wanted = filter(data, clock.now())
    if (!wanted.ok) {
      const because = wanted.error.map(explain).join('; ')
      log.warn('an event is left out, its filter failed', { because })
      onFilterFailure?.(because)
    }
    if (!wanted.ok || !wanted.value) {
      counts.filtered.add()
      return succeed('filtered')
    }
    const began = clock.now()
    const event: SensorEvent = {
      context: {
        id: identity === undefined ? ids.uid().replaceAll('-', '') : idFor(to, identity),
        source: to.eventSourceName,
        specversion: '1.0',
        type,
        datacontenttype: 'application/json',
        subject: to.eventName,
        time: new Date(timeMs ?? clock.now()).toISOString(),
      },
      data,
    }
    const kept = await publish(to, event).catch((error: unknown) => {
      // A disk that failed is told to the source as a bus that takes nothing: it tries again, or its sender does.
      log.error('an event could not be kept', error)
      return fail({ code: 'event-not-kept', message: `the event could not be kept: ${describeError(error)}` })
    })
    counts.seconds.observe((clock.now() - began) / 1_000)
    if (!kept.ok) {
      counts.failed.add()
      log.warn('an event was not taken by its bus', { because: kept.error.map(explain).join('; ') })
      return kept
    }
    if (kept.value.isRepeat) counts.repeated.add()
    else counts.published.add()
    return succeed(kept.value.isRepeat ? 'repeated' : 'published')
  }
}

/** The same event has the same id at every telling, and no two sources share one. */
function idFor({ namespace, eventSourceName, eventName }: EventAddress, identity: string): string {
  const hash = createHash('sha256').update(JSON.stringify([namespace, eventSourceName, eventName, identity]))
  return hash.digest('hex').slice(0, 32)
}
