import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { customCheck, customCheckKeys } from './custom.ts'
import { healthOf, kindHealth } from './health.ts'
import { compileLuaChecks } from './lua-health.ts'
import { isHealthStatusCode, isWorse } from './status.ts'

const object = (apiVersion: string, kind: string, more: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', generation: 2 },
  ...more,
})

test.each([
  ['a paused Deployment is suspended', object('apps/v1', 'Deployment', { spec: { paused: true } }), 'Suspended'],
  [
    'a Deployment whose controller has not looked yet is on its way',
    object('apps/v1', 'Deployment', { status: { observedGeneration: 1 } }),
    'Progressing',
  ],
  ['a claim without a phase is unknown', object('v1', 'PersistentVolumeClaim'), 'Unknown'],
  ['a ConfigMap is not judged', object('v1', 'ConfigMap'), undefined],
  ['an old version of a known kind is unknown', object('apps/v1beta1', 'Deployment'), 'Unknown'],
  [
    'a CronJob that failed last time is degraded',
    object('batch/v1', 'CronJob', {
      spec: {},
      status: { lastScheduleTime: '2026-01-02T00:00:00Z', lastSuccessfulTime: '2026-01-01T00:00:00Z' },
    }),
    'Degraded',
  ],
  [
    'a kind of any Crossplane provider is judged',
    object('s3.aws.upbound.io/v1beta1', 'Bucket', { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
    'Healthy',
  ],
  [
    'a Sensor that says that it is broken is degraded',
    object('argoproj.io/v1alpha1', 'Sensor', {
      status: { conditions: [{ type: 'DepencencyProvided', status: 'False', message: 'no such event' }] },
    }),
    'Degraded',
  ],
])('%s', (_name, given, want) => {
  expect(healthOf(given)?.status).toBe(want)
})

test('an object on its way out is progressing, but a hook that is held for its result is judged', () => {
  const leaving = { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' }
  const job = { spec: {}, status: { conditions: [{ type: 'Complete', status: 'True' }] } }
  expect(healthOf({ ...object('batch/v1', 'Job', job), metadata: leaving })).toEqual({
    status: 'Progressing',
    message: 'Pending deletion',
  })
  const held = { ...leaving, finalizers: ['argocd.argoproj.io/hook-finalizer'] }
  expect(healthOf({ ...object('batch/v1', 'Job', job), metadata: held })?.status).toBe('Healthy')
})

test("a user's check comes before ours, and may have nothing to say", () => {
  const claim = object('v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } })
  expect(healthOf(claim, () => ({ status: 'Degraded', message: 'full' }))?.status).toBe('Degraded')
  expect(healthOf(claim, () => undefined)?.status).toBe('Healthy')
})

const child = (status: object, spec: object = {}): KubeObject =>
  object('argoproj.io/v1alpha1', 'Application', {
    spec: { source: { repoURL: 'r' }, syncPolicy: { automated: {} }, ...spec },
    status: { health: { status: 'Healthy' }, sync: { status: 'Synced', revision: 'b' }, ...status },
  })

test.each([
  ['a healthy and synced one is healthy', child({}), 'Healthy'],
  ['one that was never compared is on its way', object('argoproj.io/v1alpha1', 'Application'), 'Progressing'],
  ['one that is syncing is on its way', child({ operationState: { phase: 'Running' } }), 'Progressing'],
  [
    'one whose source has changed since it was compared is on its way',
    child({ sync: { status: 'Synced', comparedTo: { source: { repoURL: 'old' } } } }),
    'Progressing',
  ],
  [
    'one whose new revision was not tried yet is on its way',
    child({
      sync: { status: 'OutOfSync', revision: 'b' },
      operationState: { phase: 'Succeeded', syncResult: { revision: 'a' } },
    }),
    'Progressing',
  ],
  [
    'one that stays out of sync after its revision was synced is what it says',
    child({
      sync: { status: 'OutOfSync', revision: 'b' },
      operationState: { phase: 'Succeeded', syncResult: { revision: 'b' } },
    }),
    'Healthy',
  ],
  ['a degraded one is degraded', child({ health: { status: 'Degraded', message: 'x' } }), 'Degraded'],
])('of Applications in Applications: %s', (_name, given, want) => {
  expect(kindHealth(given)?.status).toBe(want)
})

test('health has an order', () => {
  expect(isWorse('Healthy', 'Suspended')).toBe(true)
  expect(isWorse('Degraded', 'Missing')).toBe(false)
  expect(isWorse('Degraded', 'Unknown')).toBe(true)
  expect(isWorse('Healthy', 'Healthy')).toBe(false)
})

test('every check survives whatever it is given, and says only what is a health', () => {
  const keys = customCheckKeys()
  const junk = fc.object({
    key: fc.constantFrom('conditions', 'phase', 'state', 'status', 'type', 'message', 'spec', '__proto__', 'parents'),
    maxDepth: 4,
    withNullPrototype: true,
    values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
  })
  fc.assert(
    fc.property(fc.constantFrom(...keys), junk, junk, (key, spec, status) => {
      const slash = key.indexOf('/')
      const [group, kind] = slash < 0 ? ['', key] : [key.slice(0, slash).replace('*', 'x'), key.slice(slash + 1)]
      const found = customCheck(group, kind === '*' ? 'Thing' : kind)?.({ kind, metadata: {}, spec, status })
      return found === undefined || (isHealthStatusCode(found.status) && typeof (found.message ?? '') === 'string')
    }),
    { numRuns: 2_000 },
  )
})

test('checks in Lua are asked first, by kind and then by glob', () => {
  const { override, problems } = compileLuaChecks([
    { group: '*.io', kind: '*', healthLua: "return {status = 'Suspended'}" },
    { group: 'a.io', kind: 'Widget', healthLua: "return {status = obj.status.phase, message = 'm'}" },
    { group: '', kind: 'ConfigMap', healthLua: 'return nil' },
    { group: '', kind: 'Secret', healthLua: 'return {' },
    { group: '', kind: 'Service', healthLua: 'while true do end' },
  ])
  const judge = (one: KubeObject) => healthOf(one, override)
  expect(problems.map(({ at }) => at)).toEqual(['Secret'])
  expect(judge(object('a.io/v1', 'Widget', { status: { phase: 'Degraded' } }))).toEqual({
    status: 'Degraded',
    message: 'm',
  })
  expect(judge(object('a.io/v1', 'Widget', { status: { phase: 'Sleepy' } }))).toMatchObject({ status: 'Unknown' })
  expect(judge(object('a.io/v1', 'Widget'))).toMatchObject({ status: 'Unknown' })
  expect(judge(object('b.io/v1', 'Gadget'))).toEqual({ status: 'Suspended' })
  expect(judge(object('v1', 'ConfigMap'))).toBeUndefined()
  expect(judge(object('v1', 'Secret'))).toMatchObject({ status: 'Unknown' })
  expect(judge(object('v1', 'Service'))).toMatchObject({ status: 'Unknown' })
  expect(judge(object('v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }))).toEqual({ status: 'Healthy' })
})
