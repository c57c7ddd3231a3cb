import { expect, test } from 'vitest'
import type { Application, ApplicationStatus, OperationState } from '../application.ts'
import type { ComparedResource } from '../../compare/comparison.ts'
import { type AutoSyncSeen, planAutoSync } from './auto-sync.ts'

const nowMs = Date.UTC(2026, 0, 1, 12)
const source = { repoURL: 'https://git.example.com/a.git', path: 'a' }
const selfHeal = { timeoutMs: 0, firstMs: 2_000, factor: 3, longestMs: 300_000 }

const resource = (name: string, more: Partial<ComparedResource> = {}): ComparedResource => ({
  key: { group: '', kind: 'ConfigMap', namespace: 'shop', name },
  version: 'v1',
  status: 'OutOfSync',
  isHook: false,
  requiresPruning: false,
  requiresDeletionConfirmation: false,
  syncWave: 0,
  ...more,
})

const before = (more: Partial<OperationState> = {}, attempts?: number): OperationState => ({
  phase: 'Succeeded',
  startedAt: '2026-01-01T11:59:50Z',
  finishedAt: '2026-01-01T11:59:59Z',
  operation: { sync: attempts === undefined ? {} : { autoHealAttemptsCount: attempts } },
  syncResult: { revision: 'abc', source },
  ...more,
})

function seen(
  policy: object | undefined,
  more: Partial<AutoSyncSeen> = {},
  status: ApplicationStatus = {},
): AutoSyncSeen {
  const app: Application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop' },
    spec: { project: 'default', source, destination: {}, ...(policy ? { syncPolicy: { automated: policy } } : {}) },
    status,
  }
  return {
    nowMs,
    app,
    comparison: { resources: [resource('a')], syncStatus: 'OutOfSync' },
    revisions: ['abc'],
    selfHeal,
    ...more,
  }
}

test.each([
  { name: 'a manual Application', given: seen(undefined), want: 'only when it is asked' },
  { name: 'one that is turned off', given: seen({ enabled: false }), want: 'only when it is asked' },
  {
    name: 'one that is Synced',
    given: seen({}, { comparison: { resources: [], syncStatus: 'Synced' } }),
    want: 'it is Synced',
  },
  { name: 'one that a window holds back', given: seen({}, { blocked: { because: 'a window' } }), want: 'a window' },
  {
    name: 'one where all has to be pruned, without prune',
    given: seen({}, { comparison: { resources: [resource('a', { requiresPruning: true })], syncStatus: 'OutOfSync' } }),
    want: 'automated pruning is off',
  },
  {
    name: 'a revision that was synced, without selfHeal',
    given: seen({}, {}, { operationState: before() }),
    want: 'selfHeal is off',
  },
])('$name is not synced', ({ given, want }) => {
  const plan = planAutoSync(given)
  expect(plan).toMatchObject({ do: 'skip', because: expect.stringContaining(want) as string })
})

test('a revision that failed is told, and not tried again', () => {
  const given = seen({}, {}, { operationState: before({ phase: 'Failed', message: 'no room' }) })
  expect(planAutoSync(given)).toMatchObject({ do: 'skip', problem: 'Failed last sync attempt to [abc]: no room' })
})

test('Git with nothing in it wipes nothing out', () => {
  const comparison = { resources: [resource('a', { requiresPruning: true })], syncStatus: 'OutOfSync' as const }
  expect(planAutoSync(seen({ prune: true }, { comparison }))).toMatchObject({
    do: 'skip',
    problem: 'Skipping sync attempt to [abc]: auto-sync will wipe out all resources',
  })
  expect(planAutoSync(seen({ prune: true, allowEmpty: true }, { comparison })).do).toBe('start')
})

test('a new revision is synced with what the policy says', () => {
  const given = seen({ prune: true }, { revisions: ['def'] }, { operationState: before() })
  expect(planAutoSync(given)).toMatchObject({
    do: 'start',
    operation: {
      sync: { revision: 'def', source, prune: true },
      initiatedBy: { automated: true },
      retry: { limit: 5 },
    },
  })
})

test('the same revision with another source is synced', () => {
  const given = seen(
    {},
    {},
    { operationState: before({ syncResult: { revision: 'abc', source: { ...source, path: 'b' } } }) },
  )
  expect(planAutoSync(given).do).toBe('start')
})

test('self-healing touches what differs only, at once the first time, then later and later', () => {
  const first = planAutoSync(seen({ selfHeal: true }, {}, { operationState: before() }))
  expect(first).toMatchObject({
    do: 'start',
    operation: { sync: { resources: [{ kind: 'ConfigMap', name: 'a', namespace: 'shop' }], autoHealAttemptsCount: 1 } },
  })
  const second = planAutoSync(seen({ selfHeal: true }, {}, { operationState: before({}, 1) }))
  expect(second).toMatchObject({ do: 'skip', againAtMs: nowMs - 1_000 + 2_000 })
  const fourth = planAutoSync(seen({ selfHeal: true }, {}, { operationState: before({}, 3) }))
  expect(fourth).toMatchObject({ do: 'skip', againAtMs: nowMs - 1_000 + 18_000 })
})
