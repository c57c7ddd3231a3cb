import { expect, test } from 'vitest'
import type { Application, Operation, OperationState } from '../application.ts'
import { endAttempt, planOperation, withHistory } from './operation-state.ts'

const nowMs = Date.UTC(2026, 0, 1, 12)
const source = { repoURL: 'https://git.example.com/a.git', path: 'a' }

const state = (more: Partial<OperationState> = {}): OperationState => ({
  phase: 'Running',
  startedAt: '2026-01-01T11:00:00Z',
  operation: { sync: { revision: 'abc' }, initiatedBy: { automated: true } },
  ...more,
})

const app = (operationState?: OperationState, operation?: Operation): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop' },
  spec: { project: 'default', source, destination: {}, syncPolicy: { automated: {} } },
  ...(operation ? { operation } : {}),
  status: operationState ? { operationState } : {},
})

const plan = (given: Application, more: object = {}) => planOperation({ app: given, nowMs, syncTimeoutMs: 0, ...more })
const moved = { desired: { revisions: ['def'], isChanged: true } }

test('nothing is to be done without an operation', () => {
  expect(plan(app()).do).toBe('nothing')
  expect(plan(app(state({ phase: 'Succeeded' }))).do).toBe('nothing')
})

test('an operation that is asked for begins, after one that is over too', () => {
  expect(plan(app(state({ phase: 'Failed' }), { sync: {} }))).toMatchObject({
    do: 'run',
    isNew: true,
    state: { phase: 'Running', startedAt: '2026-01-01T12:00:00Z' },
  })
})

test('one in progress is gone on with', () => {
  expect(plan(app(state()))).toMatchObject({ do: 'run', isNew: false, state: { phase: 'Running' } })
})

test.each([
  { name: 'what Git has is another', given: app(state()), more: moved, phase: 'Terminating' },
  {
    name: 'what Git has is the same',
    given: app(state()),
    more: { desired: { revisions: ['def'], isChanged: false } },
    phase: 'Running',
  },
  {
    name: 'somebody asked for it',
    given: app(state({ operation: { sync: { revision: 'abc' } } })),
    more: moved,
    phase: 'Running',
  },
  {
    name: 'it takes whatever is newest',
    given: app(state({ operation: { sync: {}, initiatedBy: { automated: true } } })),
    more: moved,
    phase: 'Running',
  },
  {
    name: 'it waits for an attempt that refreshes',
    given: app(
      state({
        finishedAt: '2026-01-01T11:00:00Z',
        operation: { sync: { revision: 'abc' }, initiatedBy: { automated: true }, retry: { refresh: true } },
      }),
    ),
    more: moved,
    phase: 'Running',
  },
  { name: 'it takes longer than it may', given: app(state()), more: { syncTimeoutMs: 60_000 }, phase: 'Terminating' },
])('an operation is $phase when $name', ({ given, more, phase }) => {
  expect(plan(given, more)).toMatchObject({ do: 'run', state: { phase } })
})

test('a failed attempt waits, tries again from the beginning, and gives up', () => {
  const retry = { limit: 1, backoff: { duration: '10s' } }
  const first = endAttempt(
    state({ operation: { sync: { revision: 'abc' }, retry } }),
    { phase: 'Failed', message: 'no room', syncResult: { revision: 'abc' } },
    nowMs,
  )
  expect(first).toMatchObject({
    phase: 'Running',
    retryCount: 1,
    finishedAt: '2026-01-01T12:00:00Z',
    message: 'no room. Retrying attempt #1 at 2026-01-01T12:00:10Z.',
  })
  expect(plan(app(first))).toMatchObject({ do: 'wait', untilMs: nowMs + 10_000 })
  const again = plan(app(first), { nowMs: nowMs + 10_000 })
  expect(again).toMatchObject({ do: 'run', state: { phase: 'Running', message: 'Retrying operation. Attempt #1' } })
  expect(again.do === 'run' && again.state.syncResult).toBeUndefined()
  const last = endAttempt(
    state({ operation: { retry }, retryCount: 1 }),
    { phase: 'Failed', message: 'no room', syncResult: undefined },
    nowMs,
  )
  expect(last).toMatchObject({ phase: 'Failed', message: 'no room (retried 1 times).' })
})

test('a terminated operation is not tried again', () => {
  const ended = endAttempt(
    state({ phase: 'Terminating', operation: { retry: { limit: -1 } } }),
    { phase: 'Failed', message: 'Operation terminated', syncResult: undefined },
    nowMs,
  )
  expect(ended).toMatchObject({ phase: 'Failed', message: 'Operation terminated' })
})

test('a retry that refreshes forgets the revision it began with', () => {
  const waiting = state({
    finishedAt: '2026-01-01T11:00:00Z',
    retryCount: 1,
    operation: { sync: { revision: 'abc' }, retry: { limit: 2, refresh: true } },
  })
  expect(plan(app(waiting))).toMatchObject({
    do: 'run',
    state: { operation: { sync: { revision: '', revisions: [] } } },
  })
})

test('the history keeps the last syncs of everything that went well', () => {
  const done = state({ phase: 'Succeeded', syncResult: { revision: 'abc', source } })
  expect(withHistory(app(), done, nowMs)).toMatchObject([
    { id: 0, revision: 'abc', source, deployedAt: '2026-01-01T12:00:00Z' },
  ])
  const full = app()
  const history = Array.from({ length: 10 }, (_, id) => ({
    id,
    revision: `r${id}`,
    deployedAt: '2026-01-01T00:00:00Z',
  }))
  const next = withHistory({ ...full, status: { history } }, done, nowMs)
  expect([next.length, next[0]?.id, next.at(-1)?.id]).toEqual([10, 1, 10])
  for (const other of [{ dryRun: true }, { resources: [{ kind: 'ConfigMap', name: 'a' }] }]) {
    expect(withHistory(app(), { ...done, operation: { sync: other } }, nowMs)).toEqual([])
  }
})
