import type { CounterSeries, HistogramSeries, Metrics } from '../../lib/metrics.ts'
import type { EventAddress } from '../bus/publish.ts'

type Named = Pick<EventAddress, 'namespace' | 'eventSourceName' | 'eventName'>

/** What is counted of one source. */
export interface SourceCounts {
  readonly received: CounterSeries
  readonly filtered: CounterSeries
  /** On disk. */
  readonly published: CounterSeries
  readonly repeated: CounterSeries
  readonly failed: CounterSeries
  readonly seconds: HistogramSeries
  /** Turned away at the door, and why. */
  refused(because: string): void
}

/** The figures of all sources; the first three names are Argo Events'. */
export interface SourceMetrics {
  of(source: Named): SourceCounts
  running(namespace: string, eventSourceName: string, count: number): void
  forget(namespace: string, eventSourceName: string): void
}

/** Counts what sources do. */
export function sourceMetrics(metrics: Metrics): SourceMetrics {
  const running = metrics.gauge('argo_events_event_service_running_total', 'Sources that are at work, by EventSource.')
  const sent = metrics.counter('argo_events_events_sent_total', 'Events that are on disk, by source.')
  const unsent = metrics.counter('argo_events_events_sent_failed_total', 'Events that the bus did not take, by source.')
  const received = metrics.counter('idp_events_received_total', 'Events that sources made, by what became of them.')
  const refused = metrics.counter('idp_events_refused_total', 'Deliveries that were turned away, by source and reason.')
  const seconds = metrics.histogram('idp_events_publish_seconds', 'How long it took until an event was on disk.')
  const by = (source: Named) => ({
    namespace: source.namespace,
    eventsource_name: source.eventSourceName,
    event_name: source.eventName,
  })
  return {
    of(source) {
      const labels = by(source)
      return {
        received: received.with({ ...labels, outcome: 'received' }),
        filtered: received.with({ ...labels, outcome: 'filtered' }),
        repeated: received.with({ ...labels, outcome: 'repeated' }),
        published: sent.with(labels),
        failed: unsent.with(labels),
        seconds: seconds.with(labels),
        refused: (because) => refused.with({ ...labels, because }).add(),
      }
    },
    running: (namespace, name, count) => running.with({ namespace, eventsource_name: name }).set(count),
    forget: (namespace, name) => running.remove({ namespace, eventsource_name: name }),
  }
}
