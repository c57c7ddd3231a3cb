import type { Dependency, Metadata } from './metadata.ts'
import type { Values } from './strvals.ts'

/** A file of a chart, its name relative to the chart. */
export interface ChartFile {
  readonly name: string
  readonly data: Uint8Array
}

/** A chart as it was loaded. Rendering never changes it. */
export interface Chart {
  readonly metadata: Metadata
  readonly templates: readonly ChartFile[]
  /** What `.Files` sees: everything that has no other meaning. */
  readonly files: readonly ChartFile[]
  readonly values: Values
  readonly schema: Uint8Array | undefined
  readonly lock: ChartLock | undefined
  readonly dependencies: readonly Chart[]
  /** Things worth saying that did not stop the loading. */
  readonly warnings: readonly string[]
}

/** Chart.lock: which versions the dependencies were resolved to, and from what. */
export interface ChartLock {
  readonly digest: string
  readonly generated: string
  readonly dependencies: readonly Dependency[]
}

/** Text of a chart's file. */
const decoder = new TextDecoder()
export const textOf = (data: Uint8Array): string => decoder.decode(data)
