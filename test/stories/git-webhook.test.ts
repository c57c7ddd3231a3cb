import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { clientOf } from './client-of.ts'

const REPOSITORY = 'https://git.example.com/team/platform.git'
const SECRET = 'between us'
const applications = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' }
const core = (plural: string) => ({ group: '', version: 'v1', plural })

let folder: string
let api: RunningApi
let client: RemoteClient

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-webhook-'))
  api = await startApi({ controllers: 'gitops' })
  client = clientOf(api.kubeconfig)
}, 30_000)
afterAll(async () => {
  await client.close()
  await api.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** Sends a push as GitHub does, without an account. */
function push(
  body: string,
  signature: string,
  method = 'POST',
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-hub-signature-256': signature,
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const ask = request(`${api.url}/api/webhook`, { method, headers, ca: api.credentials.ca }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += String(part)))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    ask.on('error', reject)
    ask.end(method === 'GET' ? undefined : body)
  })
}

const signed = (body: string): string => `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`
const body = JSON.stringify({
  ref: 'refs/heads/main',
  before: 'a'.repeat(40),
  after: 'b'.repeat(40),
  repository: { html_url: REPOSITORY.replace('.git', ''), default_branch: 'main' },
  commits: [{ added: [], modified: ['app/settings.yaml'], removed: [] }],
})

test('a signed push refreshes the Applications of its repository, and nobody else is listened to', async () => {
  await client.create(
    { resource: core('namespaces') },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
  )
  await client.create(
    { resource: core('secrets'), namespace: 'argocd' },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'argocd-secret' },
      stringData: { 'webhook.github.secret': SECRET },
    },
  )
  // Nobody answers there, so that every look at the repository can be told by what is said of it.
  const destination = { server: 'https://kubernetes.default.svc', namespace: 'default' }
  for (const [name, repoURL] of [
    ['platform', REPOSITORY],
    ['other', 'https://git.example.com/team/other.git'],
  ]) {
    const source = { repoURL, targetRevision: 'main', path: 'app' }
    const metadata = { name, annotations: { 'argocd.argoproj.io/skip-reconcile': 'true' } }
    const object = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata,
      spec: { project: 'default', source, destination },
    }
    expect((await client.create({ resource: applications, namespace: 'argocd' }, object)).ok).toBe(true)
  }
  const limit = AbortSignal.timeout(20_000)
  const isRefreshed = async (name: string): Promise<boolean> => {
    const read = await client.get({ resource: applications, namespace: 'argocd', name })
    return read.ok && read.value.metadata.annotations?.['argocd.argoproj.io/refresh'] === 'normal'
  }
  // Until the Secret is known, nothing can be proved; then a wrong signature is refused.
  while ((await push(body, 'sha256=00')).status !== 400 && !limit.aborted) await systemClock.sleep(50)
  expect(await push(body, 'sha256=00')).toMatchObject({ status: 400 })
  expect((await push(body, signed(body))).status).toBe(200)
  while (!(await isRefreshed('platform')) && !limit.aborted) await systemClock.sleep(50)
  expect(await isRefreshed('platform')).toBe(true)
  expect(await isRefreshed('other')).toBe(false)
})

test('what is no push, or far too large, is refused', async () => {
  expect((await push('{"not": "a push"', signed('{"not": "a push"'))).status).toBe(400)
  // Only what it says of its length is sent: whoever is refused does not go on sending.
  const announced = await new Promise<number>((resolve, reject) => {
    const headers = { 'x-github-event': 'push', 'content-length': 4 * 1024 * 1024 }
    const ask = request(`${api.url}/api/webhook`, { method: 'POST', headers, ca: api.credentials.ca }, (response) => {
      resolve(response.statusCode ?? 0)
      ask.destroy()
    })
    ask.on('error', reject)
    ask.flushHeaders()
  })
  expect(announced).toBe(413)
  expect((await push('', '', 'GET')).status).toBe(403)
})
