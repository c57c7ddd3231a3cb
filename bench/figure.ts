/** One figure that a bench prints. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The same work done by somebody else in the same run. */
  readonly peers?: Readonly<Record<string, number>>
  /** DESIGN section 9, where it names one. */
  readonly budget?: string
}

/** A bench area: `npm run bench -- NAME`. */
export interface Area {
  readonly name: string
  run(report: (figure: Figure) => void): Promise<void>
}

/** Calls a function for about the given time after a warm-up and answers calls per second. */
export function perSecond(work: () => unknown, ms = 1_000): number {
  const until = (limit: number): { readonly calls: number; readonly took: number } => {
    const began = performance.now()
    let calls = 0
    let took = 0
    for (; took < limit; took = performance.now() - began) {
      for (let batch = 0; batch < 16; batch++) work()
      calls += 16
    }
    return { calls, took }
  }
  until(ms / 4)
  const { calls, took } = until(ms)
  return (calls * 1_000) / took
}

/** The value below which the given share of samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
