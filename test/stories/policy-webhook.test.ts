import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import type { ResourceId } from '../../src/kube/gvk.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import type { ApiResult } from '../../src/kube/status.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { idp, idpPath } from './idp.ts'
import { clientOf } from './client-of.ts'

const configMaps: ResourceId = { group: '', version: 'v1', plural: 'configmaps' }
const policies: ResourceId = { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' }
const namespaces: ResourceId = { group: '', version: 'v1', plural: 'namespaces' }
const configurations = (type: 'validating' | 'mutating'): ResourceId => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: `${type}webhookconfigurations`,
})

let folder: string
let api: RunningApi
let client: RemoteClient
const processes: ChildProcess[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-webhook-'))
  api = await startApi({ controllers: 'namespace,service-account' })
  client = clientOf(api.kubeconfig)
}, 30_000)
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL')
  await client.close()
  await api.remove()
  rmSync(folder, { recursive: true, force: true })
})

function startWebhooks(): { readonly child: ChildProcess; readonly said: () => string } {
  const cluster = ['--kubeconfig', api.kubeconfig, '--state', join(folder, 'state')]
  const args = ['controllers', '--run', 'policies', '--webhook-listen', '127.0.0.1:0', ...cluster]
  const child = spawn(process.execPath, [idpPath, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  processes.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += String(part)))
  return { child, said: () => text }
}

async function until(what: string, holds: () => boolean | Promise<boolean>, told = () => ''): Promise<void> {
  const limit = AbortSignal.timeout(30_000)
  while (!(await holds())) {
    if (limit.aborted) throw new Error(`in vain: ${what} ${told()}`)
    await systemClock.sleep(50)
  }
}

const policy = (name: string, rule: object): Promise<ApiResult<KubeObject>> =>
  client.create(
    { resource: policies },
    {
      apiVersion: 'kyverno.io/v1',
      kind: 'ClusterPolicy',
      metadata: { name },
      spec: {
        background: false,
        rules: [{ name: 'rule', match: { any: [{ resources: { kinds: ['ConfigMap'] } }] }, ...rule }],
      },
    },
  )

const configMap = (name: string, namespace: string, dryRun: boolean = false): Promise<ApiResult<KubeObject>> =>
  client.create(
    { resource: configMaps, namespace },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
    { dryRun },
  )

/** What the API server asks the validating webhook about, as text. */
async function rulesOf(): Promise<string> {
  const target = { resource: configurations('validating'), name: 'kyverno-resource-validating-webhook-cfg' }
  const found = await client.get(target)
  return found.ok ? JSON.stringify(found.value['webhooks']) : ''
}

test('policies judge a cluster elsewhere through webhooks, and nothing is called after a clean stop', async () => {
  const { child, said } = startWebhooks()
  await until('the webhooks answer', () => said().includes('webhooks: https://127.0.0.1:'), said)
  expect(statSync(join(folder, 'state', 'webhook', 'ca.pem')).mode & 0o777).toBe(0o600)

  let answered = ''
  await until(
    'policies are judged',
    async () => {
      const answer = await policy('wrong', { validate: { message: 'nothing to check' } })
      answered = answer.ok ? 'accepted' : answer.error.message
      if (answer.ok) await client.delete({ resource: policies, name: 'wrong' })
      return !answer.ok && answer.error.message.startsWith('admission webhook "validate-policy.kyverno.svc" denied')
    },
    () => answered + said(),
  )

  const team = { metadata: { labels: { team: 'blue' } } }
  expect(await policy('label', { mutate: { patchStrategicMerge: team } })).toMatchObject({ ok: true })
  await until('the change is made', async () => {
    const answer = await configMap('tried', 'default', true)
    return answer.ok && answer.value.metadata.labels?.['team'] === 'blue'
  })

  const generated = { apiVersion: 'v1', kind: 'ConfigMap', name: 'made', namespace: '{{request.object.metadata.name}}' }
  const match = { any: [{ resources: { kinds: ['Namespace'] } }] }
  const generate = { match, generate: { ...generated, synchronize: true, data: { data: { a: '1' } } } }
  expect(await policy('give', generate)).toMatchObject({ ok: true })
  await until('namespaces are asked about', async () => (await rulesOf()).includes('"namespaces"'), said)
  await client.create({ resource: namespaces }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  await until(
    'a new namespace gets what is generated, changed like all',
    async () => {
      const found = await client.get({ resource: configMaps, namespace: 'team', name: 'made' })
      return found.ok && found.value.metadata.labels?.['team'] === 'blue'
    },
    said,
  )

  const deny = { validate: { failureAction: 'Enforce', message: 'No settings here', deny: {} } }
  expect(await policy('no-settings', deny)).toMatchObject({ ok: true })
  let message = ''
  await until('the policy is enforced', async () => {
    const answer = await configMap('refused', 'default', true)
    message = answer.ok ? '' : answer.error.message
    return !answer.ok
  })
  expect(message).toContain('admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource ConfigMap/')
  expect(message).toContain('no-settings:\n  rule: No settings here')
  expect(message.match(/denied the request/g)).toHaveLength(1)
  expect(await configMap('let-through', 'kube-system')).toMatchObject({ ok: true })

  const stopped = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await stopped
  for (const type of ['validating', 'mutating'] as const) {
    const left = await client.list({ resource: configurations(type) })
    expect(left.ok && left.value.items).toEqual([])
  }
  expect(await configMap('free', 'default')).toMatchObject({ ok: true })
}, 90_000)

test('after a crash what is guarded stays shut, the machinery goes on, and the glass can be broken', async () => {
  const { child, said } = startWebhooks()
  await until('the policies are asked', async () => (await rulesOf()).includes('configmaps'), said)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  const refused = await configMap('shut', 'default')
  expect(refused.ok ? '' : refused.error.message).toContain('failed calling webhook')
  expect(await configMap('goes-on', 'kube-system')).toMatchObject({ ok: true })
  for (const type of ['validating', 'mutating'] as const) {
    const those = { labelSelector: 'webhook.kyverno.io/managed-by=kyverno' }
    await client.deleteCollection({ resource: configurations(type) }, those)
  }
  expect(await configMap('shut', 'default')).toMatchObject({ ok: true })
}, 60_000)

test('an address that cannot be listened on or reached is said in one line', async () => {
  for (const [args, said] of [
    [['--webhook-listen', 'nowhere'], 'is not HOST:PORT'],
    [['--webhook-listen', '0.0.0.0:0'], 'say --webhook-url https://NAME:PORT too'],
    [['--webhook-url', 'https://a:1'], '--webhook-url needs --webhook-listen'],
    [['--webhook-listen', '127.0.0.1:0', '--webhook-url', 'http://a:1'], 'is not like https://NAME:PORT'],
  ] as const) {
    const answer = await idp(['controllers', ...args])
    expect(answer).toMatchObject({ code: 2, stderr: expect.stringContaining(said) as string })
  }
})
