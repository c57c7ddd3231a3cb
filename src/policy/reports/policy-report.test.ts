import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { followedBy, mergeResults, type ReportChange, reportOn, summaryOf } from './policy-report.ts'
import type { ReportResult } from './report-result.ts'

const row = (policy: string, rule: string, more: Partial<ReportResult> = {}): ReportResult => ({
  source: 'kyverno',
  policy,
  rule,
  result: 'pass',
  scored: true,
  timestamp: { seconds: 1, nanos: 0 },
  ...more,
})
const everywhere = (): boolean => true

describe('rows of a resource', () => {
  test.each<[string, readonly ReportResult[], readonly ReportResult[], readonly string[], readonly string[]]>([
    [
      'a new verdict takes the place of the old one',
      [row('a', 'x')],
      [row('a', 'x', { result: 'fail' })],
      [],
      ['a/x fail'],
    ],
    ['other rows stay', [row('a', 'x'), row('b', 'y')], [row('a', 'x')], [], ['a/x pass', 'b/y pass']],
    [
      'rows are in the order of their policies and rules',
      [],
      [row('b', 'y'), row('a', 'z'), row('a', 'x')],
      [],
      ['a/x pass', 'a/z pass', 'b/y pass'],
    ],
    [
      'what was worked out as a whole leaves no old rows',
      [row('a', 'x'), row('b', 'y')],
      [],
      ['kyverno a'],
      ['b/y pass'],
    ],
    [
      'rows of generated objects are not what a scan works out',
      [row('a', 'x', { properties: { 'generated-resources': 'y' } })],
      [],
      ['kyverno a'],
      ['a/x pass'],
    ],
  ])('%s', (_name, before, results, settled, want) => {
    const merged = mergeResults(before, { results, settled: new Set(settled) }, everywhere)
    expect(merged.map(({ policy, rule, result }) => `${policy}/${rule ?? ''} ${result}`)).toEqual(want)
  })

  test('of a policy that is gone go', () => {
    const change = { results: [row('a', 'z')], settled: new Set<string>() }
    expect(mergeResults([row('a', 'x'), row('b', 'y')], change, (policy) => policy === 'kyverno b')).toEqual([
      row('b', 'y'),
    ])
  })

  test('the same verdict keeps its time', () => {
    const again = row('a', 'x', { timestamp: { seconds: 9, nanos: 0 } })
    const change = { results: [again], settled: new Set(['kyverno a']) }
    expect(mergeResults([row('a', 'x')], change, everywhere)).toEqual([row('a', 'x')])
  })
})

test('of two changes that wait the later one counts, also where it says less', () => {
  const change = (results: readonly ReturnType<typeof row>[], ...settled: readonly string[]): ReportChange => ({
    results,
    settled: new Set(settled),
  })
  const earlier = change([row('a', 'x'), row('b', 'y')], 'kyverno a', 'kyverno b')
  const later = change([row('a', 'z')], 'kyverno a')
  const { results, settled } = followedBy(earlier, later)
  expect(results).toEqual([row('b', 'y'), row('a', 'z')])
  expect([...settled]).toEqual(['kyverno a', 'kyverno b'])
})

test('a report belongs to its resource, counts its rows, and lives where the resource lives', () => {
  const results = [row('a', 'x'), row('a', 'y', { result: 'fail' })]
  const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'team', uid: 'u' } }
  expect(reportOn(pod, results, 'wgpolicyk8s')).toMatchObject({
    kind: 'PolicyReport',
    metadata: { name: 'u', namespace: 'team', ownerReferences: [{ kind: 'Pod', name: 'web', uid: 'u' }] },
    scope: { kind: 'Pod', name: 'web', namespace: 'team' },
    summary: { error: 0, fail: 1, pass: 1, skip: 0, warn: 0 },
  })
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', uid: 'n' } }
  expect(reportOn(namespace, results, 'wgpolicyk8s').kind).toBe('ClusterPolicyReport')
  expect(reportOn(pod, results, 'openreports')).toMatchObject({ apiVersion: 'openreports.io/v1alpha1', kind: 'Report' })
  expect(summaryOf([])).toEqual({ error: 0, fail: 0, pass: 0, skip: 0, warn: 0 })
})
