import type { KubeObject } from '../../kube/object.ts'
import { compareStrings } from '../../lib/go-string.ts'
import { isEqual } from '../../lib/json.ts'
import type { ReportResult, ReportVerdict } from './report-result.ts'

/** What is new about a resource. */
export interface ReportChange {
  /** Rows that take the place of those of the same policy and rule. */
  readonly results: readonly ReportResult[]
  /** Policies, as `source policy`, of which no other rows are to remain: what they say was worked out as a whole. */
  readonly settled: ReadonlySet<string>
}

const rowKey = ({ source, policy, rule = '' }: ReportResult): string => JSON.stringify([source, policy, rule])

/** How rows and policies name each other. */
export const policyOfRow = ({ source, policy }: Pick<ReportResult, 'source' | 'policy'>): string =>
  `${source} ${policy}`

/** Rows that come from making or changing other objects are not what a scan works out. */
const isOfScan = ({ properties = {} }: ReportResult): boolean =>
  properties['generated-resources'] === undefined && properties['patched-target'] === undefined

/** The most rows that one resource has. */
const MOST_ROWS = 2_000

/** Two changes as one: what the later one settles, or says anew, the earlier one no longer says. */
export function followedBy(earlier: ReportChange, later: ReportChange): ReportChange {
  const fresh = new Set(later.results.map(rowKey))
  const kept = earlier.results.filter(
    (row) => !fresh.has(rowKey(row)) && !(later.settled.has(policyOfRow(row)) && isOfScan(row)),
  )
  return { results: [...kept, ...later.results], settled: new Set([...earlier.settled, ...later.settled]) }
}

/** The rows of a resource after a change, without those of policies that are gone. */
export function mergeResults(
  before: readonly ReportResult[],
  { results, settled }: ReportChange,
  isThere: (policy: string) => boolean,
): readonly ReportResult[] {
  const known = new Map(before.map((row) => [rowKey(row), row]))
  const fresh = new Set(results.map(rowKey))
  const kept = before.filter(
    (row) => !fresh.has(rowKey(row)) && isThere(policyOfRow(row)) && !(settled.has(policyOfRow(row)) && isOfScan(row)),
  )
  const added = results
    .filter((row) => isThere(policyOfRow(row)))
    .map((row) => {
      const old = known.get(rowKey(row))
      // The same verdict keeps its time, so that saying it again is no change.
      return old && isEqual({ ...old, timestamp: row.timestamp }, row) ? old : row
    })
  const unique = new Map([...kept, ...added].map((row) => [rowKey(row), row]))
  return [...unique.values()]
    .toSorted(
      (a, b) =>
        compareStrings(a.policy, b.policy) ||
        compareStrings(a.rule ?? '', b.rule ?? '') ||
        compareStrings(a.source, b.source),
    )
    .slice(0, MOST_ROWS)
}

/** How many rows there are of each verdict. */
export function summaryOf(results: readonly ReportResult[]): Readonly<Record<ReportVerdict, number>> {
  const summary = { error: 0, fail: 0, pass: 0, skip: 0, warn: 0 }
  for (const { result } of results) summary[result] += 1
  return summary
}

/** The kinds of reports: the working group's, and the newer ones where their definitions are installed. */
export type ReportForm = 'wgpolicyk8s' | 'openreports'

/** The report on a resource. */
export function reportOn(resource: KubeObject, results: readonly ReportResult[], form: ReportForm): KubeObject {
  const { name = '', namespace, uid = '' } = resource.metadata
  const { apiVersion, kind } = resource
  const isInside = namespace !== undefined && namespace !== ''
  return {
    apiVersion: form === 'wgpolicyk8s' ? 'wgpolicyk8s.io/v1alpha2' : 'openreports.io/v1alpha1',
    kind:
      form === 'wgpolicyk8s'
        ? isInside
          ? 'PolicyReport'
          : 'ClusterPolicyReport'
        : isInside
          ? 'Report'
          : 'ClusterReport',
    metadata: {
      name: uid,
      ...(isInside ? { namespace } : {}),
      labels: { 'app.kubernetes.io/managed-by': 'kyverno' },
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
    scope: { apiVersion, kind, name, ...(isInside ? { namespace } : {}), uid },
    results,
    summary: summaryOf(results),
  }
}
