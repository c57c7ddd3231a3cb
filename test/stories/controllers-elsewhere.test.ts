import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import type { ResourceId } from '../../src/kube/gvk.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { idp, idpPath } from './idp.ts'
import { clientOf } from './client-of.ts'

const configMaps: ResourceId = { group: '', version: 'v1', plural: 'configmaps' }
const namespaces: ResourceId = { group: '', version: 'v1', plural: 'namespaces' }
const applications: ResourceId = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' }

/** What the working folder is a clone of; it is read from there, and nobody asks the server. */
const REPOSITORY = 'https://git.example.com/team/platform.git'

let folder: string
let api: RunningApi
let client: RemoteClient
const processes: ChildProcess[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-elsewhere-'))
  api = await startApi({ controllers: 'namespace,service-account' })
  client = clientOf(api.kubeconfig)
}, 30_000)
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL')
  await client.close()
  await api.remove()
  rmSync(folder, { recursive: true, force: true })
})

interface Controllers {
  readonly child: ChildProcess
  readonly said: () => string
}

function startControllers(state: string): Controllers {
  const args = ['controllers', '--kubeconfig', api.kubeconfig, '--state', join(folder, state)]
  const child = spawn(process.execPath, [idpPath, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  processes.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += String(part)))
  return { child, said: () => text }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(40_000)
  while (!(await holds())) {
    if (limit.aborted) throw new Error(`in vain: ${what}`)
    await systemClock.sleep(50)
  }
}

const wordOf = async (): Promise<unknown> => {
  const read = await client.get({ resource: configMaps, namespace: 'default', name: 'settings' })
  return read.ok ? (read.value['data'] as { readonly word?: string }).word : undefined
}

function commit(word: string): void {
  mkdirSync(join(folder, 'app'), { recursive: true })
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { word } }
  writeFileSync(join(folder, 'app', 'settings.yaml'), JSON.stringify(object))
  const git = (...args: readonly string[]) =>
    spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder })
  git('init', '-q', '-b', 'main')
  git('remote', 'add', 'origin', REPOSITORY)
  git('add', 'app')
  git('commit', '-q', '-m', word)
}

test('the same controllers work on a cluster elsewhere, one process at a time, and another takes over', async () => {
  commit('one')
  const first = startControllers('first')
  await until('the first is at work', () => first.said().includes('at work: gitops'))
  expect(first.said()).toContain('left out, because nothing lets the API server ask them (--webhook-listen): policies')
  const second = startControllers('second')
  await until('the second waits', () => second.said().includes('waiting for the lease'))

  await client.create({ resource: namespaces }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } })
  const source = { repoURL: REPOSITORY, targetRevision: 'main', path: 'app' }
  const made = await client.create(
    { resource: applications, namespace: 'argocd' },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'app' },
      spec: {
        project: 'default',
        source,
        destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
        syncPolicy: { automated: { selfHeal: true } },
      },
    },
  )
  expect(made.ok).toBe(true)
  await until('the first commit is live', async () => (await wordOf()) === 'one')
  commit('two')
  await until('the second commit is live', async () => (await wordOf()) === 'two')
  expect(second.said()).not.toContain('at work')

  first.child.kill('SIGTERM')
  await until('the second is at work', () => second.said().includes('at work: gitops'))
  await client.patch(
    { resource: configMaps, namespace: 'default', name: 'settings' },
    { type: 'merge', body: { data: { word: 'by hand' } } },
  )
  await until('what was changed by hand is healed', async () => (await wordOf()) === 'two')
})

test('who writes Applications there cannot read this disk', async () => {
  const source = { repoURL: `file://${folder}`, targetRevision: 'main', path: 'app' }
  const spec = {
    project: 'default',
    source,
    destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
  }
  const place = { resource: applications, namespace: 'argocd' }
  const object = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'curious' }, spec }
  expect((await client.create(place, object)).ok).toBe(true)
  await until('it is refused', async () => {
    const read = await client.get({ ...place, name: 'curious' })
    const { conditions = [] } = ((read.ok && read.value['status']) || {}) as {
      readonly conditions?: readonly { readonly message?: string }[]
    }
    return conditions.some(({ message = '' }) => message.includes('disk'))
  })
})

test('what cannot be run, and a cluster that is not there, are said in one line', async () => {
  const wrong = await idp(['controllers', '--run', 'nobody'])
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('"nobody" is not a controller') as string })
  const none = await idp(['controllers', '--kubeconfig', join(folder, 'nothing')])
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('idp controllers: ') as string })
})
