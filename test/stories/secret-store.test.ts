import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { idp, type Ran } from './idp.ts'
import { clientOf } from './client-of.ts'

let folder: string
let api: RunningApi
let client: RemoteClient
let rootToken: string

const secret = (...args: readonly string[]): Promise<Ran> =>
  idp(['secret', ...args, '--kubeconfig', api.kubeconfig], { cwd: folder })

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await systemClock.sleep(100)
}

/** Where the Service of the store is on this machine. */
async function serviceUrl(): Promise<string> {
  const slice = {
    resource: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
    namespace: 'vault-system',
    name: 'vault',
  }
  await until(async () => (await client.get(slice)).ok)
  const got = await client.get(slice)
  const port = got.ok ? (got.value['ports'] as readonly { port: number }[])[0]?.port : 0
  return `http://127.0.0.1:${port}`
}

const sealStatus = async (): Promise<{ initialized: boolean; sealed: boolean }> =>
  (await (await fetch(`${await serviceUrl()}/v1/sys/seal-status`)).json()) as { initialized: boolean; sealed: boolean }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-secrets-'))
  mkdirSync(join(folder, 'api'))
  api = await startApi({ folder: join(folder, 'api'), controllers: 'secrets' })
  client = clientOf(api.kubeconfig)
}, 30_000)
afterAll(async () => {
  await client.close()
  await api.remove()
  rmSync(folder, { recursive: true, force: true })
})

test('the store is a Service, is initialised through it, and opens with its key file after a crash', async () => {
  expect(await sealStatus()).toMatchObject({ initialized: false, sealed: true })
  const made = await fetch(`${await serviceUrl()}/v1/sys/init`, {
    method: 'PUT',
    body: JSON.stringify({ secret_shares: 5, secret_threshold: 3 }),
  })
  const { root_token: token, keys } = (await made.json()) as { root_token: string; keys: readonly string[] }
  rootToken = token
  expect(keys).toHaveLength(5)
  expect(await sealStatus()).toMatchObject({ initialized: true, sealed: false })
  expect(statSync(join(folder, 'api', 'state', 'secret-store.key')).mode & 0o777).toBe(0o600)

  const mounted = await fetch(`${await serviceUrl()}/v1/sys/mounts/secret`, {
    method: 'POST',
    headers: { 'x-vault-token': rootToken },
    body: JSON.stringify({ type: 'kv-v2' }),
  })
  expect(mounted.status).toBe(204)
  expect(await secret('put', 'secret/team/db', 'user=app', 'password=correct-horse')).toMatchObject({
    code: 0,
    stdout: 'wrote 2 keys of secret/team/db, version 1\n',
  })
  await api.kill()
  await client.close()
  api = await startApi({ folder: join(folder, 'api'), controllers: 'secrets' })
  client = clientOf(api.kubeconfig)
  await until(async () => !(await sealStatus().catch(() => ({ sealed: true }))).sealed)
  expect(await secret('get', 'secret/team/db', 'password')).toMatchObject({ code: 0, stdout: 'correct-horse\n' })
}, 30_000)

test('idp secret lists, reads, writes, rotates and checks, and shows no value that is not asked for', async () => {
  expect((await secret('list')).stdout).toBe('secret/\n')
  expect((await secret('list', 'secret')).stdout).toBe('team/\n')
  const hidden = await secret('get', 'secret/team/db')
  expect(hidden.stdout).toContain('(hidden)')
  expect(hidden.stdout).not.toContain('correct-horse')
  expect((await secret('get', 'secret/team/db', '--show')).stdout).toContain('correct-horse')
  expect((await secret('rotate', 'secret/team/db', 'password')).stdout).toBe(
    'rotated password of secret/team/db, version 2\n',
  )
  const after = await secret('get', 'secret/team/db', 'password')
  expect(after.stdout).toMatch(/^[A-Za-z0-9]{13}\n$/)
  expect((await secret('get', 'secret/team/db', 'user')).stdout).toBe('app\n')
  expect((await secret('get', 'secret/team/db', 'password', '--at-version', '1')).stdout).toBe('correct-horse\n')
  expect(await secret('get', 'secret/team/none')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no secret'),
  })
  expect(await secret('get', 'nowhere/x')).toMatchObject({ code: 1 })

  mkdirSync(join(folder, 'K8s'), { recursive: true })
  writeFileSync(
    join(folder, 'K8s', 'secrets.yaml'),
    `apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: { name: own, namespace: shop }
spec: { provider: { vault: { server: http://vault.vault-system.svc:8200, path: secret, version: v2 } } }
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: web, namespace: shop }
spec:
  secretStoreRef: { name: own }
  data:
    - { secretKey: a, remoteRef: { key: team/db, property: user } }
    - { secretKey: b, remoteRef: { key: team/db, property: nothing } }
    - { secretKey: c, remoteRef: { key: team/none } }
`,
  )
  const checked = await secret('check', 'K8s', '-o', 'json')
  expect(checked.code).toBe(1)
  expect((JSON.parse(checked.stdout) as readonly { state: string }[]).map(({ state }) => state)).toEqual([
    'there',
    'no such property',
    'missing',
  ])
}, 30_000)

test('without an account of the administrator, nobody gets in through the API server', async () => {
  const answer = await client.ask({
    method: 'GET',
    path: '/idp/secret-store/v1/secret/data/team/db',
    headers: { 'impersonate-user': 'somebody' },
  })
  expect(answer.status).toBe(403)
})
