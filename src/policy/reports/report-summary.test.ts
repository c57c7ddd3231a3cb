import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { type Grouping, rowsOf, summarize } from './report-summary.ts'

const hourMs = 3_600_000
const nowMs = 100 * hourMs
const result = (policy: string, verdict: string, hoursAgo: number, more: object = {}): object => ({
  policy,
  rule: 'r',
  result: verdict,
  source: 'kyverno',
  scored: true,
  timestamp: { seconds: (nowMs - hoursAgo * hourMs) / 1_000, nanos: 0 },
  ...more,
})
const reports: readonly KubeObject[] = [
  {
    apiVersion: 'wgpolicyk8s.io/v1alpha2',
    kind: 'PolicyReport',
    metadata: { name: 'a', namespace: 'blue' },
    scope: { kind: 'Pod', name: 'web', namespace: 'blue' },
    results: [result('tags', 'fail', 2, { severity: 'high' }), result('limits', 'pass', 50)],
  },
  {
    apiVersion: 'wgpolicyk8s.io/v1alpha2',
    kind: 'ClusterPolicyReport',
    metadata: { name: 'b' },
    scope: { kind: 'Namespace', name: 'blue' },
    results: [result('tags', 'pass', 1), result('tags', 'nonsense', 1)],
  },
  { apiVersion: 'x/v1', kind: 'Other', metadata: {}, results: 'none' },
]

test.each<[Grouping, readonly string[]]>([
  ['namespace', ['blue 1/1 +1', '(cluster) 0/1 +0']],
  ['policy', ['tags 1/1 +1', 'limits 0/1 +0']],
  ['rule', ['tags/r 1/1 +1', 'limits/r 0/1 +0']],
  ['severity', ['high 1/0 +1', '(none) 0/2 +0']],
  ['kind', ['Pod 1/1 +1', 'Namespace 0/1 +0']],
])('by %s: failing, passing, and what began to fail in the last day', (by, want) => {
  const groups = summarize(rowsOf(reports), by, { nowMs, windowMs: 24 * hourMs })
  expect(groups.map(({ group, fail, pass, newlyFailing }) => `${group} ${fail}/${pass} +${newlyFailing}`)).toEqual(want)
})
