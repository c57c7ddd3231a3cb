import type { Verb } from './request.ts'

/** Upper bounds of the request duration histogram, in seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30]

interface Series {
  count: number
  sumSeconds: number
  readonly buckets: number[]
}

/** One answered request. */
export interface Answered {
  readonly verb: Verb | 'page'
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly code: number
  readonly seconds: number
}

/** Counts what a server answers, in the names that dashboards for Kubernetes know. */
export class RequestMetrics {
  readonly #requests = new Map<string, number>()
  readonly #durations = new Map<string, Series>()
  #watches = 0

  answered({ verb, group, version, resource, code, seconds }: Answered): void {
    const labels = `verb="${verb.toUpperCase()}",group="${group}",version="${version}",resource="${resource}"`
    const request = `${labels},code="${code}"`
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1)
    // A watch lasts as long as it is wanted: its duration says nothing.
    if (verb === 'watch') return
    const series = this.#durations.get(labels) ?? { count: 0, sumSeconds: 0, buckets: BOUNDS.map(() => 0) }
    this.#durations.set(labels, series)
    series.count++
    series.sumSeconds += seconds
    BOUNDS.forEach((bound, at) => {
      if (seconds <= bound) series.buckets[at] = (series.buckets[at] ?? 0) + 1
    })
  }

  watchOpened(): () => void {
    this.#watches++
    return () => this.#watches--
  }

  /** The exposition text, with further gauges by name. */
  text(gauges: Readonly<Record<string, number>>): string {
    const lines = ['# TYPE apiserver_request_total counter']
    for (const [labels, count] of this.#requests) lines.push(`apiserver_request_total{${labels}} ${count}`)
    lines.push('# TYPE apiserver_request_duration_seconds histogram')
    for (const [labels, { count, sumSeconds, buckets }] of this.#durations) {
      const name = 'apiserver_request_duration_seconds'
      BOUNDS.forEach((bound, at) => lines.push(`${name}_bucket{${labels},le="${bound}"} ${buckets[at] ?? 0}`))
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`)
      lines.push(`${name}_sum{${labels}} ${sumSeconds}`, `${name}_count{${labels}} ${count}`)
    }
    const all = { apiserver_longrunning_requests: this.#watches, ...gauges }
    for (const [name, value] of Object.entries(all)) lines.push(`# TYPE ${name} gauge`, `${name} ${value}`)
    return `${lines.join('\n')}\n`
  }
}
