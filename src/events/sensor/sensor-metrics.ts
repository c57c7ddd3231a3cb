import type { CounterSeries, GaugeSeries, HistogramSeries, Metrics } from '../../lib/metrics.ts'

/** The series of one trigger. The first four have Argo Events' names. */
export interface TriggerSeries {
  readonly triggered: CounterSeries
  readonly failed: CounterSeries
  readonly retriesFailed: CounterSeries
  readonly durationMs: HistogramSeries
  readonly filtered: CounterSeries
  readonly retried: CounterSeries
  readonly deadLetters: GaugeSeries
  /** How long the event that is being dealt with has waited. */
  readonly lagSeconds: GaugeSeries
  /** From acceptance to what it caused. */
  readonly latency: HistogramSeries
}

const MS: readonly number[] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

/** Makes the series of triggers. */
export function triggerMetrics(
  metrics: Metrics,
): (namespace: string, sensor: string, trigger: string) => TriggerSeries {
  const triggered = metrics.counter('argo_events_action_triggered_total', 'Triggers that fired.')
  const failed = metrics.counter('argo_events_action_failed_total', 'Attempts to fire a trigger that failed.')
  const retriesFailed = metrics.counter('argo_events_action_retries_failed_total', 'Triggers that were given up on.')
  const durationMs = metrics.histogram('argo_events_action_duration_milliseconds', 'How long firing took.', MS)
  const filtered = metrics.counter(
    'idp_events_filtered_total',
    'Events that a dependency of a trigger did not let pass.',
  )
  const retried = metrics.counter('idp_events_retried_total', 'Times that a trigger was tried again.')
  const deadLetters = metrics.gauge('idp_events_dead_letters', 'Dead letters of a Sensor.')
  const lag = metrics.gauge('idp_events_lag_seconds', 'How long the event that a trigger deals with has waited.')
  const latency = metrics.histogram('idp_events_latency_seconds', 'From accepting an event to having fired with it.')
  return (namespace, sensor, trigger) => {
    const labels = { namespace, sensor_name: sensor, trigger_name: trigger }
    return {
      triggered: triggered.with(labels),
      failed: failed.with(labels),
      retriesFailed: retriesFailed.with(labels),
      durationMs: durationMs.with(labels),
      filtered: filtered.with(labels),
      retried: retried.with(labels),
      deadLetters: deadLetters.with({ namespace, sensor_name: sensor }),
      lagSeconds: lag.with(labels),
      latency: latency.with(labels),
    }
  }
}
