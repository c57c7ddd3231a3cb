import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { Client } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { clientOf } from './client-of.ts'

const folder = mkdtempSync(join(tmpdir(), 'idp-rollout-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let api: RunningApi | undefined
afterEach(() => api?.stop())

const core = (plural: string) => ({ resource: { group: '', version: 'v1', plural }, namespace: 'default' })
const apps = (plural: string) => ({ resource: { group: 'apps', version: 'v1', plural }, namespace: 'default' })
const batch = (plural: string) => ({ resource: { group: 'batch', version: 'v1', plural }, namespace: 'default' })

async function items(client: Client, place: ReturnType<typeof core>): Promise<readonly KubeObject[]> {
  const listed = await client.list(place)
  if (!listed.ok) throw new Error(listed.error.message)
  return listed.value.items
}

async function until(fact: () => Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(60_000)
  while (!(await fact())) await systemClock.sleep(50, { signal: limit })
}

const template = (image: string, simulate: string, more: object = {}): object => ({
  metadata: { labels: { app: 'web' }, annotations: { 'simulate.idp.dev/main': simulate } },
  spec: { containers: [{ name: 'main', image }], ...more },
})
const count = (object: KubeObject | undefined, field: string): number =>
  Number((object?.['status'] as Readonly<Record<string, unknown>> | undefined)?.[field] ?? 0)

test('what was under way when the process was killed goes on when it is started again', async () => {
  api = await startApi({ folder, controllers: 'all' })
  let client = clientOf(api.kubeconfig)
  await until(async () => (await items(client, core('serviceaccounts'))).length > 0)
  const slow = 'ready=400ms'
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 8, selector: { matchLabels: { app: 'web' } }, template: template('web:1', slow) },
  }
  const work = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'work' },
    spec: {
      completions: 12,
      parallelism: 3,
      template: template('work:1', 'exit=0 after=300ms', { restartPolicy: 'Never' }),
    },
  }
  await client.create(apps('deployments'), web)
  await until(async () => count((await items(client, apps('deployments')))[0], 'readyReplicas') === 8)
  await client.create(batch('jobs'), work)
  await client.patch(
    { ...apps('deployments'), name: 'web' },
    { type: 'merge', body: { spec: { template: { spec: { containers: [{ name: 'main', image: 'web:2' }] } } } } },
  )
  // Again and again in the middle of it.
  for (const progress of [2, 4]) {
    await until(async () => count((await items(client, apps('deployments')))[0], 'updatedReplicas') >= progress)
    await api.kill()
    api = await startApi({ folder, controllers: 'all' })
    client = clientOf(api.kubeconfig)
  }
  await until(async () => {
    const [deployment] = await items(client, apps('deployments'))
    const [job] = await items(client, batch('jobs'))
    const pods = (await items(client, core('pods'))).filter(({ metadata }) => metadata.name?.startsWith('web-'))
    const isRolledOut = ['updatedReplicas', 'readyReplicas', 'replicas'].every(
      (field) => count(deployment, field) === 8,
    )
    return isRolledOut && pods.length === 8 && count(job, 'succeeded') === 12
  })
  const sets = (await items(client, apps('replicasets'))).map((set) => count(set, 'replicas'))
  expect(sets.toSorted((a, b) => a - b)).toEqual([0, 8])
  const [job] = await items(client, batch('jobs'))
  expect(job?.['status']).toMatchObject({ succeeded: 12 })
  expect(count(job, 'failed')).toBe(0)
}, 180_000)
