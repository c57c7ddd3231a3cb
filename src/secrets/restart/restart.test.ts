import { setMaxListeners } from 'node:events'
import { expect, test } from 'vitest'
import { testServer, valueOf } from '../../apiserver/apiserver.testkit.ts'
import type { KubeObject } from '../../kube/object.ts'
import { seededIds } from '../../lib/ids.ts'
import { silentLog } from '../../lib/log.ts'
import { eventRecorder } from '../../runtime/event-recorder.ts'
import { Informers } from '../../runtime/informers.ts'
import { restarts } from './controller.ts'
import { planRestart, RESTART_ON_CHANGE, RESTARTED_FOR, SEEN, watchedSources } from './plan.ts'

const workload = (annotations: Record<string, string>, pod: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'app', namespace: 'default', annotations },
  spec: { template: { spec: { containers: [{ name: 'c', image: 'x' }], ...pod } } },
})

const secret = (name: string, value: string, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default', uid: `uid-${name}`, annotations },
  data: { v: value },
})
const configMap = (name: string, value: string): KubeObject => ({ ...secret(name, value), kind: 'ConfigMap' })

const mounting = {
  volumes: [
    { name: 'a', secret: { secretName: 'db' } },
    { name: 'p', projected: { sources: [{ configMap: { name: 'conf' } }] } },
  ],
  containers: [
    {
      name: 'c',
      image: 'x',
      envFrom: [{ secretRef: { name: 'env' } }],
      env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'key', key: 'k' } } }],
    },
  ],
}
const all = [secret('db', '1'), secret('env', '1'), secret('key', '1'), secret('other', '1'), configMap('conf', '1')]

test.each<{
  name: string
  annotations: Record<string, string>
  objects?: readonly KubeObject[]
  want: readonly string[]
}>([
  { name: 'nothing without an annotation', annotations: {}, want: [] },
  { name: 'what is named', annotations: { [RESTART_ON_CHANGE]: 'other, conf' }, want: ['other', 'conf'] },
  { name: 'a pattern', annotations: { 'secret.reloader.stakater.com/reload': 'o.*r' }, want: ['other'] },
  {
    name: 'a Secret only, where Secrets are named',
    annotations: { 'secret.reloader.stakater.com/reload': 'conf' },
    want: [],
  },
  {
    name: 'all that the Pods use',
    annotations: { 'reloader.stakater.com/auto': 'true' },
    want: ['db', 'env', 'key', 'conf'],
  },
  {
    name: 'the ConfigMaps that the Pods use',
    annotations: { 'configmap.reloader.stakater.com/auto': 'true' },
    want: ['conf'],
  },
  {
    name: 'what is used and lets itself be found',
    annotations: { 'reloader.stakater.com/search': 'true' },
    objects: [
      secret('db', '1', { 'reloader.stakater.com/match': 'true' }),
      secret('env', '1'),
      secret('other', '1', { 'reloader.stakater.com/match': 'true' }),
    ],
    want: ['db'],
  },
  {
    name: 'nothing that is to be ignored',
    annotations: { [RESTART_ON_CHANGE]: 'db' },
    objects: [secret('db', '1', { 'reloader.stakater.com/ignore': 'true' })],
    want: [],
  },
])('a workload watches $name', ({ annotations, objects = all, want }) => {
  expect(watchedSources(workload(annotations, mounting), objects).map(({ metadata }) => metadata.name)).toEqual(want)
})

const noted = (...sources: readonly KubeObject[]): string => {
  const plan = planRestart(workload({}), sources)
  return plan.do === 'note' ? plan.seen : ''
}

test.each<{ name: string; seen: string; sources: readonly KubeObject[]; want: string }>([
  { name: 'is noted when it is first seen', seen: '', sources: [secret('db', '1')], want: 'note' },
  {
    name: 'is left alone while nothing changes',
    seen: noted(secret('db', '1')),
    sources: [secret('db', '1', { any: 'annotation' })],
    want: 'nothing',
  },
  {
    name: 'is restarted when a value is another one',
    seen: noted(secret('db', '1')),
    sources: [secret('db', '2')],
    want: 'restart',
  },
  { name: 'is left alone when a source is gone', seen: noted(secret('db', '1')), sources: [], want: 'nothing' },
  {
    name: 'is noted when a source comes',
    seen: noted(secret('db', '1')),
    sources: [secret('db', '1'), secret('env', '1')],
    want: 'note',
  },
  { name: 'is noted anew when the note cannot be read', seen: '{broken', sources: [secret('db', '1')], want: 'note' },
])('a workload $name', ({ seen, sources, want }) => {
  const plan = planRestart(workload({ [SEEN]: seen }), sources)
  expect(plan.do).toBe(want)
  expect(JSON.stringify(plan)).not.toContain('"v":')
})

test('a Secret that changes makes new Pods once, and a restart of the controller none', async () => {
  const { client, clock } = await testServer()
  const run = () => {
    const informers = new Informers({ client, clock, log: silentLog, watchSeconds: 0 })
    const recorder = eventRecorder({ client, clock, ids: seededIds(), log: silentLog, component: 'restart' })
    const part = restarts({ client, clock, ids: seededIds(), log: silentLog, informers, events: () => recorder })
    const stopping = new AbortController()
    setMaxListeners(0, stopping.signal)
    const running = Promise.all([informers, recorder, part].map((one) => one.run(stopping.signal)))
    return async () => {
      stopping.abort()
      await clock.advance(0)
      await running
    }
  }
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await clock.advance(0)
  }
  const secrets = { resource: { group: '', version: 'v1', plural: 'secrets' }, namespace: 'default' }
  const deployments = { resource: { group: 'apps', version: 'v1', plural: 'deployments' }, namespace: 'default' }
  valueOf(
    await client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db' },
      stringData: { v: '1' },
    }),
  )
  const labels = { app: 'app' }
  valueOf(
    await client.create(deployments, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'app', annotations: { [RESTART_ON_CHANGE]: 'db' } },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    }),
  )
  let stop = run()
  await settle()
  const state = async (): Promise<readonly unknown[]> => {
    const found = valueOf(await client.get({ ...deployments, name: 'app' }))
    const template = (found['spec'] as { template: { metadata: { annotations?: Record<string, string> } } }).template
    return [found.metadata.generation, template.metadata.annotations?.[RESTARTED_FOR]?.split('@')[0]]
  }
  expect(await state()).toEqual([1, undefined])
  const rotate = async (v: string): Promise<void> => {
    valueOf(await client.patch({ ...secrets, name: 'db' }, { type: 'merge', body: { stringData: { v } } }))
    await settle()
  }
  await rotate('2')
  expect(await state()).toEqual([2, 'Secret/db'])
  await stop()
  valueOf(await client.patch({ ...secrets, name: 'db' }, { type: 'merge', body: { stringData: { v: '3' } } }))
  stop = run()
  await settle()
  expect(await state()).toEqual([3, 'Secret/db'])
  await stop()
  stop = run()
  await settle()
  expect(await state()).toEqual([3, 'Secret/db'])
  await stop()
})
