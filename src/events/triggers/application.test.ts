import { expect, test } from 'vitest'
import { explain, type Result } from '../../lib/result.ts'
import { allowing, triggersWorld, type TriggersWorld } from './triggers-world.testkit.ts'

const told = (result: Result<unknown>): string => (result.ok ? 'fired' : result.error.map(explain).join('\n'))
const API = 'argoproj.io/v1alpha1'
const source = { repoURL: 'https://git.example.com/x', path: 'web', targetRevision: 'main' }
const sync = (id: number, revision: string): object => ({ id, revision, source, deployedAt: '2026-01-01T00:00:00Z' })

const app = (status: object, spec: object = {}, more: object = {}): string =>
  JSON.stringify({
    apiVersion: API,
    kind: 'Application',
    metadata: { name: 'web', namespace: 'events' },
    spec: {
      project: 'default',
      source,
      destination: { server: 'https://kubernetes.default.svc', namespace: 'team' },
      ...spec,
    },
    status,
    ...more,
  })

const rights = allowing('{apiGroups: [argoproj.io], resources: [applications], verbs: [get, patch]}')

async function world(objects: readonly string[], more: string = ''): Promise<TriggersWorld> {
  const made = await triggersWorld(['argo-cd'])
  await made.apply(`${rights}\n${more}`)
  for (const object of objects) await made.apply(object)
  return made
}

const act = (at: TriggersWorld, section: object, fireId?: string): Promise<Result<unknown>> =>
  at.fire(
    { argoCD: { application: 'web', namespace: 'events', ...section } },
    { app: 'web' },
    fireId === undefined ? {} : { fireId },
  )
const now = async (at: TriggersWorld): Promise<unknown> => at.get(API, 'applications', 'web')
/** Lets the operation end as gitops would. */
async function ended(at: TriggersWorld, status: object): Promise<void> {
  const target = {
    resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
    namespace: 'events',
    name: 'web',
  }
  await at.client.patch(target, { type: 'merge', body: { operation: null, status: status as never } })
}

test.each([
  ['refresh', 'normal'],
  ['hard-refresh', 'hard'],
])('a %s is asked for by annotation', async (operation, kind) => {
  const at = await world([app({})])
  expect(told(await act(at, { operation }))).toBe('fired')
  expect(await now(at)).toMatchObject({ metadata: { annotations: { 'argocd.argoproj.io/refresh': kind } } })
})

test('a sync is asked for once for a firing, in the name of the ServiceAccount', async () => {
  const at = await world([app({}, { syncPolicy: { syncOptions: ['ServerSideApply=true'] } })])
  const parameters = [{ src: { dependencyName: 'push', dataKey: 'app' }, dest: 'application' }]
  const section = { operation: 'sync', application: '', prune: true, parameters }
  expect(told(await act(at, section))).toBe('fired')
  expect(await now(at)).toMatchObject({
    operation: {
      sync: { prune: true, syncOptions: ['ServerSideApply=true'] },
      initiatedBy: { username: 'system:serviceaccount:events:operator' },
    },
  })
  expect(await act(at, section)).toMatchObject({
    value: { because: 'had asked for the sync of Application events/web' },
  })
  expect(told(await act(at, section, 'f2'))).toContain('another operation is in progress')
})

test('a rollback goes to what was there before, pauses what syncs on its own, and does not go back and forth', async () => {
  const history = [sync(0, 'aaa'), sync(1, 'bbb'), sync(2, 'bbb')]
  const at = await world([app({ history }, { syncPolicy: { automated: {} } })])
  expect(told(await act(at, { operation: 'rollback' }))).toBe('fired')
  expect(await now(at)).toMatchObject({
    metadata: { annotations: { 'idp-blueprint.io/paused-until': 'resumed', 'idp-blueprint.io/rolled-back-to': 'aaa' } },
    operation: { sync: { revision: 'aaa', source, prune: true } },
  })
  await ended(at, { history: [...history, sync(3, 'aaa')] })
  expect(await act(at, { operation: 'rollback' }, 'f2')).toMatchObject({
    value: { because: 'it is rolled back to aaa already: Application events/web' },
  })
  expect(told(await act(at, { operation: 'rollback', historyId: '1' }, 'f3'))).toBe('fired')
  expect(await now(at)).toMatchObject({ operation: { sync: { revision: 'bbb' } } })
})

test.each<readonly [string, object, object, string]>([
  ['what was never synced', {}, { operation: 'rollback' }, 'was never synced'],
  [
    'what was always the same',
    { history: [sync(0, 'aaa'), sync(1, 'aaa')] },
    { operation: 'rollback' },
    'has only ever been at aaa',
  ],
  [
    'a sync that there is not',
    { history: [sync(0, 'aaa')] },
    { operation: 'rollback', historyId: 7 },
    'no sync with the id 7: there are 0',
  ],
  [
    'an id that is none',
    { history: [sync(0, 'aaa')] },
    { operation: 'rollback', historyId: 'x' },
    'is no id of the history',
  ],
  [
    'an Application that is not there',
    {},
    { operation: 'sync', application: 'no' },
    'cannot get applications.argoproj.io events/no',
  ],
  ['an operation that there is not', {}, { operation: 'delete' }, 'use one of refresh, hard-refresh, sync, rollback'],
])('%s: refused with the reason', async (_, status, section, message) => {
  const at = await world([app(status)])
  expect(told(await act(at, section))).toContain(message)
})

const reader = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules:
  - { apiGroups: [wgpolicyk8s.io, kyverno.io, policies.kyverno.io], resources: ["*"], verbs: [list] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }
subjects: [{ kind: ServiceAccount, name: operator, namespace: events }]
`

test.each([
  ['Enforce', 'no sync of Application events/web while Deployment web breaks the enforced policy labels (owner)'],
  ['Audit', 'fired'],
])('a sync is held back while a policy with %s reports a violation', async (action, want) => {
  const at = await triggersWorld(['argo-cd', 'kyverno'])
  await at.apply(`${rights}\n${reader}`)
  await at.apply(
    app({ resources: [{ kind: 'Deployment', namespace: 'team', name: 'web', version: 'v1', group: 'apps' }] }),
  )
  await at.client.create(
    { resource: { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' } },
    {
      apiVersion: 'kyverno.io/v1',
      kind: 'ClusterPolicy',
      metadata: { name: 'labels' },
      spec: {
        rules: [
          {
            name: 'owner',
            match: { any: [{ resources: { kinds: ['Deployment'] } }] },
            validate: { failureAction: action, message: 'x', pattern: { metadata: { labels: { owner: '?*' } } } },
          },
        ],
      },
    },
  )
  await at.apply('{apiVersion: v1, kind: Namespace, metadata: {name: team}}')
  await at.client.create(
    { resource: { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'policyreports' }, namespace: 'team' },
    {
      apiVersion: 'wgpolicyk8s.io/v1alpha2',
      kind: 'PolicyReport',
      metadata: { name: 'r', namespace: 'team' },
      scope: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'team' },
      results: [{ policy: 'labels', rule: 'owner', result: 'fail', source: 'kyverno' }],
      summary: { fail: 1 },
    },
  )
  expect(told(await act(at, { operation: 'sync', unlessViolated: true }))).toContain(want)
})

test('who may not read reports hears which rule is missing', async () => {
  const at = await world([app({})])
  expect(told(await act(at, { operation: 'sync', unlessViolated: true }))).toContain(
    'may not list policyreports.wgpolicyk8s.io in the cluster',
  )
})
