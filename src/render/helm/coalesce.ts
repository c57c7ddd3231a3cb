import { own, setOwn } from '../../lib/json.ts'
import type { HelmDialect } from './dialect.ts'
import { dialects } from './dialect.ts'
import type { Values } from './strvals.ts'

/** A chart as coalescing sees it: its name, its defaults and what is below it. */
export interface ValuesChart {
  readonly name: string
  readonly values: Values
  readonly dependencies: readonly ValuesChart[]
}

/** How values are put together: nulls are kept (`merge`) or delete defaults, and which helm's rules hold. */
export interface CoalesceRun {
  readonly merge: boolean
  readonly dialect: HelmDialect
  readonly warn: (message: string) => void
}

/** Tells a table: a plain map. */
export const isTable = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** A deep copy, so that nobody's defaults are changed by somebody else's values. */
export function copyTable(table: Values): Values {
  const copy: Values = {}
  for (const key of Object.keys(table)) setOwn(copy, key, copyValue(table[key]))
  return copy
}

const copyValue = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(copyValue) : isTable(value) ? copyTable(value) : value

/** Merges two maps into a new one: the second wins, tables are merged, nulls are values. Used between values files. */
export function mergeMaps(a: Values, b: Values): Values {
  const out: Values = {}
  for (const key of Object.keys(a)) setOwn(out, key, a[key])
  for (const key of Object.keys(b)) {
    const value = b[key]
    const known = own(out, key)
    setOwn(out, key, isTable(value) && isTable(known) ? mergeMaps(known, value) : value)
  }
  return out
}

/** A mismatch that ends the rendering. */
export class TypeMismatch extends Error {}

const join = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`)

/** The values of a chart and of all below it: what was given on top of every default. The given values are not changed. */
export function coalesceValues(chart: ValuesChart, given: Values, run: CoalesceRun): Values {
  return coalesce(chart, copyTable(given), '', run)
}

function coalesce(chart: ValuesChart, values: Values, prefix: string, run: CoalesceRun): Values {
  addDefaults(chart, values, prefix, run)
  for (const below of chart.dependencies) {
    const known = own(values, below.name)
    if (!Object.hasOwn(values, below.name)) setOwn(values, below.name, {})
    else if (!isTable(known)) throw new TypeMismatch(`type mismatch on ${below.name}: ${badBoolean(known)}`)
    const table = own(values, below.name) as Values
    const belowPrefix = join(prefix, chart.name)
    spreadGlobals(table, values, belowPrefix, run)
    setOwn(values, below.name, coalesce(below, table, belowPrefix, run))
  }
  return values
}

/** Go's `%t` of what is no boolean. */
function badBoolean(value: unknown): string {
  if (typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return '%!t(<nil>)'
  if (typeof value === 'string') return `%!t(string=${value})`
  if (typeof value === 'number') return `%!t(float64=${value})`
  return Array.isArray(value) ? '%!t([]interface {})' : '%!t(int64)'
}

/** Copies globals down to a chart. A chart's own tables win over nothing: what is above wins. */
function spreadGlobals(into: Values, from: Values, prefix: string, run: CoalesceRun): void {
  const known = own(into, 'global')
  const given = own(from, 'global')
  if (Object.hasOwn(into, 'global') && !isTable(known)) {
    run.warn('skipping globals because destination global is not a table.')
    return
  }
  if (Object.hasOwn(from, 'global') && !isTable(given)) {
    run.warn('skipping globals because source global is not a table.')
    return
  }
  const globals: Values = isTable(known) ? known : {}
  for (const [key, value] of Object.entries(isTable(given) ? given : {})) {
    const below = own(globals, key)
    if (isTable(value)) {
      const table = { ...value }
      if (!Object.hasOwn(globals, key)) setOwn(globals, key, table)
      else if (!isTable(below))
        run.warn(`Conflict: cannot merge map onto non-map for ${JSON.stringify(key)}. Skipping.`)
      else {
        // The order is turned around: what is above wins, and nulls live on until the chart itself is coalesced.
        mergeTables(table, below, join(prefix, key), { ...run, merge: true })
        setOwn(globals, key, table)
      }
    } else if (isTable(below)) run.warn(`key ${key} is table. Skipping`)
    else setOwn(globals, key, value)
  }
  setOwn(into, 'global', globals)
}

function addDefaults(chart: ValuesChart, values: Values, prefix: string, run: CoalesceRun): void {
  const path = join(prefix, chart.name)
  for (const [key, standard] of Object.entries(copyTable(chart.values))) {
    if (!Object.hasOwn(values, key)) {
      setOwn(values, key, standard)
      continue
    }
    const value = own(values, key)
    if (value === null && !run.merge) {
      delete values[key]
    } else if (isTable(value)) {
      if (isTable(standard)) {
        const isChart = chart.dependencies.some(({ name }) => name === key)
        mergeTables(value, standard, join(path, key), isChart ? { ...run, merge: true } : run)
      } else if (standard !== null) {
        run.warn(`skipped value for ${path}.${key}: Not a table.`)
      }
    }
  }
}

/** Adds what a table lacks from another one, deeply; the first is changed and wins. */
export function mergeTables(into: Values, from: Values, prefix: string, run: CoalesceRun): Values {
  const unmatched = dialects[run.dialect].keepsUnmatchedNulls
  for (const [key, value] of Object.entries(from)) {
    const known = own(into, key)
    if (!Object.hasOwn(into, key)) setOwn(into, key, value)
    else if (known === null) {
      // A null deletes the default; in helm 4 one that deletes nothing stays.
      if (!run.merge && !(unmatched && value === null)) delete into[key]
    } else if (isTable(value)) {
      if (isTable(known)) mergeTables(known, value, join(prefix, key), run)
      else run.warn(`cannot overwrite table with non table for ${join(prefix, key)} (${JSON.stringify(value)})`)
    } else if (isTable(known) && value !== null) {
      run.warn(`destination for ${join(prefix, key)} is a table. Ignoring non-table value (${JSON.stringify(value)})`)
    }
  }
  return into
}
