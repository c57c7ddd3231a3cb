import { compareStrings } from '../../lib/go-string.ts'
import { isObject } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ReportResult, ReportVerdict } from './report-result.ts'

/** By what results are put together. */
export const groupings = ['namespace', 'policy', 'rule', 'severity', 'category', 'kind'] as const
export type Grouping = (typeof groupings)[number]

/** A result with the resource that it is about. */
export interface ReportRow extends ReportResult {
  readonly namespace: string
  readonly kind: string
  readonly name: string
}

/** How a group of results stands. */
export interface ReportGroup extends Readonly<Record<ReportVerdict, number>> {
  readonly group: string
  /** Failures that began within the window: a row keeps the time at which its verdict became what it is. */
  readonly newlyFailing: number
  /** Passes that began within the window. */
  readonly newlyPassing: number
}

const verdicts: ReadonlySet<unknown> = new Set([
  'pass',
  'fail',
  'warn',
  'error',
  'skip',
] satisfies readonly ReportVerdict[])
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The rows of reports, whoever wrote them; a report on many resources names the resource in each row. */
export function rowsOf(reports: readonly KubeObject[]): readonly ReportRow[] {
  return reports.flatMap((report) => {
    const scope = isObject(report['scope']) ? report['scope'] : {}
    const results = Array.isArray(report['results']) ? report['results'].filter(isObject) : []
    return results
      .filter(({ result }) => verdicts.has(result))
      .flatMap((row) => {
        const named = Array.isArray(row['resources']) ? row['resources'].filter(isObject) : []
        return (named.length > 0 ? named : [scope]).map((resource) => ({
          ...(row as unknown as ReportResult), // the verdict was checked, and the rest is only shown
          namespace: textOf(resource['namespace']) || (report.metadata.namespace ?? ''),
          kind: textOf(resource['kind']),
          name: textOf(resource['name']),
        }))
      })
  })
}

const keyOf: Readonly<Record<Grouping, (row: ReportRow) => string>> = {
  namespace: ({ namespace }) => namespace || '(cluster)',
  policy: ({ policy }) => policy,
  rule: ({ policy, rule = '' }) => (rule === '' ? policy : `${policy}/${rule}`),
  severity: ({ severity }) => severity ?? '(none)',
  category: ({ category }) => category ?? '(none)',
  kind: ({ kind }) => kind || '(unknown)',
}

/** The rows put together, the worst group first. */
export function summarize(
  rows: readonly ReportRow[],
  by: Grouping,
  window: { readonly nowMs: number; readonly windowMs: number },
): readonly ReportGroup[] {
  const groups = new Map<string, Record<ReportVerdict | 'newlyFailing' | 'newlyPassing', number>>()
  for (const row of rows) {
    const key = keyOf[by](row)
    const group = groups.get(key) ?? { pass: 0, fail: 0, warn: 0, error: 0, skip: 0, newlyFailing: 0, newlyPassing: 0 }
    groups.set(key, group)
    group[row.result] += 1
    const seconds = typeof row.timestamp?.seconds === 'number' ? row.timestamp.seconds : 0
    if (seconds * 1_000 < window.nowMs - window.windowMs) continue
    if (row.result === 'fail' || row.result === 'error') group.newlyFailing += 1
    if (row.result === 'pass') group.newlyPassing += 1
  }
  return [...groups]
    .map(([group, counts]) => ({ group, ...counts }))
    .toSorted((a, b) => b.fail + b.error - (a.fail + a.error) || b.warn - a.warn || compareStrings(a.group, b.group))
}
