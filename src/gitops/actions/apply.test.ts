import { expect, test } from 'vitest'
import { testServer, valueOf } from '../../apiserver/apiserver.testkit.ts'
import type { Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { compileActions } from './actions.ts'
import { applyImpact } from './apply.ts'

const nowMs = Date.parse('2026-11-21T08:05:00Z')
const plurals: Readonly<Record<string, string>> = { Deployment: 'deployments', CronJob: 'cronjobs', Job: 'jobs' }

function targetOf({ apiVersion, kind, metadata }: KubeObject): Target {
  const [group = '', version = ''] = apiVersion.split('/')
  return { resource: { group, version, plural: plurals[kind] ?? '' }, namespace: 'default', name: metadata.name ?? '' }
}

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'i' }] },
}

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'x' } },
    template: { ...template, spec: { containers: template.spec.containers } },
  },
}

/** Creates an object, does something to it, and answers what it is then. */
async function after(object: KubeObject, name: string, params: Readonly<Record<string, string>> = {}) {
  const { client } = await testServer()
  const live = valueOf(await client.create(targetOf(object), object))
  const impacts = compileActions([]).run(name, { object: live, params, nowMs })
  if (!impacts.ok) throw new Error(JSON.stringify(impacts.error))
  for (const impact of impacts.value) valueOf(await applyImpact(impact, live, { client, targetOf }))
  return { client, object: valueOf(await client.get(targetOf(object))) }
}

test('actions change an object where they say, and nothing else', async () => {
  const { object } = await after(deployment, 'scale', { replicas: '4' })
  expect(object['spec']).toMatchObject({ replicas: 4, template: deployment['spec'] && { metadata: template.metadata } })
  const { object: paused } = await after(deployment, 'pause')
  expect(paused['spec']).toMatchObject({ paused: true, replicas: 1 })
})

test('actions make objects', async () => {
  const cron: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'often', namespace: 'default' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: template.spec } } } },
  }
  const { client } = await after(cron, 'create-job')
  const jobs = await client.list({ resource: { group: 'batch', version: 'v1', plural: 'jobs' }, namespace: 'default' })
  expect(valueOf(jobs).items.map(({ metadata }) => metadata.name)).toEqual(['often-2611210805'])
})

test('what is reported is written by its own endpoint', async () => {
  const job: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'once', namespace: 'default' },
    spec: { template: { spec: template.spec } },
    status: {},
  }
  const { client } = await testServer()
  const created = valueOf(await client.create(targetOf(job), job))
  const live = { ...created, status: {} }
  const impacts = compileActions([]).run('terminate', { object: live, params: {}, nowMs })
  if (!impacts.ok) throw new Error(JSON.stringify(impacts.error))
  for (const impact of impacts.value) valueOf(await applyImpact(impact, live, { client, targetOf }))
  expect(valueOf(await client.get(targetOf(job)))['status']).toMatchObject({
    conditions: [{ type: 'FailureTarget', reason: 'ManuallyTerminated' }],
  })
})
