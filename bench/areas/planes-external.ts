import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import { isTrue, type Condition } from '../../src/kube/condition.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { Informer } from '../../src/runtime/informer.ts'
import { ExternalSecretKind, SecretKind, SecretStoreKind } from '../../src/secrets/external/kinds.ts'
import type { Figure } from '../figure.ts'
import { cpuSecondsOf, memoryOf } from '../process-use.ts'
import { clientOf } from '../../test/stories/client-of.ts'

const COUNT = Number(process.env['BENCH_EXTERNAL_SECRETS'] ?? 1_000)
const IDLE_MS = Number(process.env['BENCH_IDLE_MS'] ?? 30_000)
const LIMIT_MS = 300_000
const ROTATIONS = 20
const STORE = '/idp/secret-store/v1/'
const root = join(import.meta.dirname, '..', '..')

/** A thousand ExternalSecrets from the store of the platform: first sync, rotation, and what they cost at rest. */
export async function externalPlane(report: (figure: Figure) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-external-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const args = [
    'apiserver',
    '--listen',
    '127.0.0.1:0',
    '--state',
    join(folder, 'state'),
    '--kubeconfig-out',
    kubeconfig,
  ]
  const child = spawn(
    process.execPath,
    [
      ...(process.env['BENCH_NODE_ARGS'] ?? '').split(' ').filter(Boolean),
      join(root, 'dist', 'idp.js'),
      ...args,
      '--no-audit',
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const stop = new AbortController()
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      child.once('exit', (code) => reject(new Error(`the server has ended with ${code}`)))
    })
    const client = clientOf(kubeconfig)
    const externals = new Informer<KubeObject>({
      client,
      clock: systemClock,
      log: silentLog,
      collection: { resource: ExternalSecretKind, namespace: 'default' },
    })
    void externals.run(stop.signal)
    await measure(client, externals, child.pid ?? 0, report)
  } finally {
    stop.abort(new Error('the bench has ended'))
    child.kill('SIGTERM')
    await new Promise<void>((resolve) => child.once('exit', () => resolve()))
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(
  client: RemoteClient,
  externals: Informer,
  pid: number,
  report: (figure: Figure) => void,
): Promise<void> {
  await prepare(client)
  const cpuBefore = cpuSecondsOf(pid)
  const began = performance.now()
  for (let at = 0; at < COUNT; at += 100) {
    const some = Array.from({ length: Math.min(100, COUNT - at) }, (_, index) =>
      client.create({ resource: ExternalSecretKind, namespace: 'default' }, externalSecret(at + index)),
    )
    for (const made of await Promise.all(some)) if (!made.ok) throw new Error(made.error.message)
  }
  await until(() => externals.cache.size === COUNT && externals.cache.list().every(isSynced))
  const took = (performance.now() - began) / 1_000
  report({ name: `first sync of ${COUNT} ExternalSecrets, with making them`, value: took, unit: 's', budget: '5 s' })
  report({ name: 'CPU of the first sync', value: cpuSecondsOf(pid) - cpuBefore, unit: 's' })
  const latencies: number[] = []
  for (let turn = 0; turn < ROTATIONS; turn++)
    latencies.push(await rotateOne(client, (turn * 37) % COUNT, `rotated-${turn}`))
  const middle = latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length / 2)] ?? 0
  report({ name: 'a rotation in the store until the Secret has it', value: middle, unit: 'ms', budget: '1000 ms' })
  await systemClock.sleep(5_000)
  const idleBefore = cpuSecondsOf(pid)
  await systemClock.sleep(IDLE_MS)
  const share = ((cpuSecondsOf(pid) - idleBefore) / (IDLE_MS / 1_000)) * 100
  report({ name: `idle with ${COUNT} ExternalSecrets over ${IDLE_MS / 1_000} s`, value: share, unit: '% of a core' })
  report({ name: `RSS with ${COUNT} ExternalSecrets`, value: memoryOf(pid).resident, unit: 'MB' })
}

const names = { policy: 'bench', role: 'bench', account: 'default' }

/** A mount with a secret for each, a way in for a ServiceAccount, and the SecretStore. */
async function prepare(client: RemoteClient): Promise<void> {
  const { policy, role, account } = names
  // 501: there is a store, and it was never initialised.
  await until(async () => (await client.ask({ method: 'GET', path: `${STORE}sys/health` })).status === 501)
  await vault(client, 'POST', 'sys/init', { secret_shares: 1, secret_threshold: 1 })
  await vault(client, 'POST', 'sys/mounts/bench', { type: 'kv', options: { version: '2' } })
  await vault(client, 'POST', `sys/policies/acl/${policy}`, {
    policy: 'path "bench/*" { capabilities = ["read", "list"] }',
  })
  await vault(client, 'POST', 'sys/auth/bench-kubernetes', { type: 'kubernetes' })
  await vault(client, 'POST', 'auth/bench-kubernetes/config', { kubernetes_host: 'https://kubernetes.default.svc' })
  await vault(client, 'POST', `auth/bench-kubernetes/role/${role}`, {
    bound_service_account_names: [account],
    bound_service_account_namespaces: ['default'],
    token_policies: ['default', policy],
    token_ttl: '1h',
  })
  for (let at = 0; at < COUNT; at += 50) {
    await Promise.all(
      Array.from({ length: Math.min(50, COUNT - at) }, (_, index) =>
        vault(client, 'POST', `bench/data/team/app-${at + index}`, {
          data: { password: `first-${at + index}`, user: 'app' },
        }),
      ),
    )
  }
  const store = {
    apiVersion: 'external-secrets.io/v1',
    kind: 'SecretStore',
    metadata: { name: 'bench', namespace: 'default' },
    spec: {
      provider: {
        vault: {
          server: 'http://vault.vault-system.svc:8200',
          path: 'bench',
          version: 'v2',
          auth: { kubernetes: { mountPath: 'bench-kubernetes', role, serviceAccountRef: { name: account } } },
        },
      },
    },
  }
  const place = { resource: SecretStoreKind, namespace: 'default' }
  const made = await client.create(place, store)
  if (!made.ok) throw new Error(made.error.message)
  await until(async () => {
    const found = await client.get({ ...place, name: 'bench' })
    return found.ok && isSynced(found.value)
  })
}

async function vault(client: RemoteClient, method: 'POST', path: string, body: unknown): Promise<void> {
  const answer = await client.ask({
    method,
    path: `${STORE}${path}`,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status}: ${answer.body.slice(0, 200)}`)
}

const externalSecret = (index: number): KubeObject => ({
  apiVersion: 'external-secrets.io/v1',
  kind: 'ExternalSecret',
  metadata: { name: `app-${index}`, namespace: 'default' },
  spec: {
    secretStoreRef: { name: 'bench', kind: 'SecretStore' },
    target: {
      template: { data: { url: 'postgres://{{ .user }}:{{ .password | urlquery }}@db/app' }, mergePolicy: 'Merge' },
    },
    dataFrom: [{ extract: { key: `team/app-${index}` } }],
  },
})

async function rotateOne(client: RemoteClient, index: number, password: string): Promise<number> {
  const began = performance.now()
  await vault(client, 'POST', `bench/data/team/app-${index}`, { data: { password, user: 'app' } })
  const wanted = Buffer.from(password).toString('base64')
  await until(async () => {
    const found = await client.get({ resource: SecretKind, namespace: 'default', name: `app-${index}` })
    return found.ok && (found.value['data'] as Readonly<Record<string, string>>)['password'] === wanted
  }, 2)
  return performance.now() - began
}

const isSynced = (object: KubeObject): boolean =>
  isTrue((object['status'] as { readonly conditions?: readonly Condition[] } | undefined)?.conditions, 'Ready')

async function until(fact: () => boolean | Promise<boolean>, everyMs = 20): Promise<void> {
  const began = performance.now()
  while (!(await fact())) {
    if (performance.now() - began > LIMIT_MS) throw new Error(`this did not come about: ${fact.toString()}`)
    await systemClock.sleep(everyMs)
  }
}
