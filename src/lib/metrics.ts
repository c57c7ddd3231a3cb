/** What a series is told apart by. */
export type Labels = Readonly<Record<string, string>>

/** One series of a counter: it only rises. */
export interface CounterSeries {
  add(by?: number): void
}

/** One series of a gauge: it is what it was last set to. */
export interface GaugeSeries {
  set(value: number): void
  add(by: number): void
}

/** One series of a histogram: how many observations fell under each bound. */
export interface HistogramSeries {
  observe(value: number): void
}

/** A metric. `with` answers the same series for the same labels; whoever is in a hurry keeps it. */
export interface Metric<S> {
  with(labels: Labels): S
  /** Forgets the series, when what it describes is gone. */
  remove(labels: Labels): void
}

/** Metrics as a port: passed in, never imported. Asking for a name again answers the same metric. */
export interface Metrics {
  counter(name: string, help: string): Metric<CounterSeries>
  gauge(name: string, help: string): Metric<GaugeSeries>
  histogram(name: string, help: string, bounds?: readonly number[]): Metric<HistogramSeries>
}

/** One number, as a scrape or a query sees it. */
export interface Sample {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/** The metrics of a process, which can be read. */
export interface MetricsRegistry extends Metrics {
  /** Every sample at this moment, histograms as cumulative buckets, sum and count. */
  samples(): readonly Sample[]
  /** The same in Prometheus' text format. */
  text(): string
}

/** Bounds in seconds from half a millisecond to ten seconds. */
const SECONDS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

type Type = 'counter' | 'gauge' | 'histogram'

interface Family {
  readonly name: string
  readonly help: string
  readonly type: Type
  readonly metric: unknown
  readonly samples: () => Iterable<Sample>
}

/** Makes an empty registry. */
export function metricsRegistry(): MetricsRegistry {
  const families = new Map<string, Family>()
  const family = <S>(type: Type, name: string, help: string, make: () => Readable<S>): Metric<S> => {
    const known = families.get(name)
    if (known) {
      if (known.type !== type) throw new Error(`the metric ${name} is a ${known.type}, not a ${type}`)
      return known.metric as Metric<S> // made by the same function for the same type
    }
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a metric`)
    const { metric, samples } = seriesByLabels(name, make)
    families.set(name, { name, help, type, metric, samples })
    return metric
  }
  const inOrder = (): readonly Family[] => [...families.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return {
    counter: (name, help) => family('counter', name, help, counterSeries),
    gauge: (name, help) => family('gauge', name, help, gaugeSeries),
    histogram: (name, help, bounds = SECONDS) => family('histogram', name, help, () => histogramSeries(bounds)),
    samples: () => inOrder().flatMap((one) => [...one.samples()]),
    text: () => inOrder().map(familyText).join(''),
  }
}

/** A series with what it adds to a scrape: a suffix of the name, more labels, a value. */
interface Readable<S> {
  readonly series: S
  readonly read: () => Iterable<readonly [suffix: string, more: Labels, value: number]>
}

function seriesByLabels<S>(
  name: string,
  make: () => Readable<S>,
): { readonly metric: Metric<S>; readonly samples: () => Iterable<Sample> } {
  const all = new Map<string, Readable<S> & { readonly labels: Labels }>()
  return {
    metric: {
      with(labels) {
        const key = labelsText(labels)
        const known = all.get(key)
        if (known) return known.series
        const made = { ...make(), labels: Object.freeze({ ...labels }) }
        all.set(key, made)
        return made.series
      },
      remove: (labels) => void all.delete(labelsText(labels)),
    },
    *samples() {
      for (const { labels, read } of all.values()) {
        for (const [suffix, more, value] of read()) yield { name: name + suffix, labels: { ...labels, ...more }, value }
      }
    },
  }
}

function counterSeries(): Readable<CounterSeries> {
  let value = 0
  return {
    series: {
      add(by = 1) {
        if (by < 0) throw new Error(`a counter cannot fall by ${-by}`)
        value += by
      },
    },
    read: () => [['', {}, value]],
  }
}

function gaugeSeries(): Readable<GaugeSeries> {
  let value = 0
  return {
    series: { set: (to) => void (value = to), add: (by) => void (value += by) },
    read: () => [['', {}, value]],
  }
}

function histogramSeries(bounds: readonly number[]): Readable<HistogramSeries> {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0)
  let sum = 0
  return {
    series: {
      observe(value) {
        let at = 0
        while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1
        counts[at] = (counts[at] ?? 0) + 1
        sum += value
      },
    },
    *read() {
      let below = 0
      for (const [at, count] of counts.entries()) {
        below += count
        yield ['_bucket', { le: numberText(bounds[at] ?? Number.POSITIVE_INFINITY) }, below]
      }
      yield ['_sum', {}, sum]
      yield ['_count', {}, below]
    },
  }
}

function familyText({ name, help, type, samples }: Family): string {
  const lines = [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`]
  for (const sample of samples()) lines.push(`${sample.name}${labelsText(sample.labels)} ${numberText(sample.value)}`)
  return `${lines.join('\n')}\n`
}

function labelsText(labels: Labels): string {
  const names = Object.keys(labels)
  if (names.length === 0) return ''
  const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `{${names
    .toSorted()
    .map((name) => `${name}="${escaped(labels[name] ?? '')}"`)
    .join(',')}}`
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

const noSeries = { add: (): void => {}, set: (): void => {}, observe: (): void => {} }
const noMetric = { with: () => noSeries, remove: (): void => {} }

/** Metrics that nobody reads. */
export const silentMetrics: Metrics = { counter: () => noMetric, gauge: () => noMetric, histogram: () => noMetric }
