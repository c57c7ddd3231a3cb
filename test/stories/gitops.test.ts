import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import { type Application, ApplicationKind } from '../../src/gitops/application/application.ts'
import type { ResourceId } from '../../src/kube/gvk.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { idp } from './idp.ts'
import { clientOf } from './client-of.ts'

const hasGit = spawnSync('git', ['--version']).status === 0
const LIMIT_MS = 60_000

let folder: string
let api: RunningApi
let client: RemoteClient
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-gitops-'))
  git('init', '-q', '-b', 'main')
  await start()
  await client.create(
    { resource: core('namespaces') },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
  )
})
afterEach(async () => {
  await client.close()
  await api.remove()
  rmSync(folder, { recursive: true, force: true })
})

const core = (plural: string): ResourceId => ({ group: '', version: 'v1', plural })
const jobs: ResourceId = { group: 'batch', version: 'v1', plural: 'jobs' }
const deployments: ResourceId = { group: 'apps', version: 'v1', plural: 'deployments' }

async function start(state?: string): Promise<void> {
  api = await startApi({ controllers: 'all', ...(state === undefined ? {} : { folder: state }) })
  client = clientOf(api.kubeconfig)
}

function git(...args: readonly string[]): string {
  const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com']
  const ran = spawnSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}

/** Writes the files of the next commit, in place of all files before; answers its SHA. */
function commit(files: Readonly<Record<string, readonly object[]>>): string {
  rmSync(join(folder, 'app'), { recursive: true, force: true })
  for (const [name, objects] of Object.entries(files)) {
    const path = join(folder, 'app', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, objects.map((one) => JSON.stringify(one)).join('\n---\n'))
  }
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', 'a change')
  return git('rev-parse', 'HEAD')
}

const configMap = (name: string, value: string = '', annotations: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, annotations },
  data: { value },
})

const template = (behaviour: string): object => ({
  metadata: { labels: { app: 'story' }, annotations: { 'simulate.idp.dev/main': behaviour } },
  spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'story' }] },
})

const job = (name: string, behaviour: string, annotations: object): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations },
  spec: { backoffLimit: 0, template: template(behaviour) },
})

const hook = (phase: string, more: object = {}): object => ({ 'argocd.argoproj.io/hook': phase, ...more })
const wave = (number: number): object => ({ 'argocd.argoproj.io/sync-wave': String(number) })

async function createApp(spec: object = {}, name: string = 'shop'): Promise<void> {
  const made = await client.create(
    { resource: ApplicationKind, namespace: 'argocd' },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: 'argocd', finalizers: ['resources-finalizer.argocd.argoproj.io'] },
      spec: {
        project: 'default',
        source: { repoURL: `file://${folder}`, path: 'app', targetRevision: 'main' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
        syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
        ...spec,
      },
    },
  )
  if (!made.ok) throw new Error(made.error.message)
}

async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const limit = AbortSignal.timeout(LIMIT_MS)
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (limit.aborted) throw new Error(`this did not happen: ${what}`)
    await systemClock.sleep(10)
  }
}

async function until(
  what: string,
  isThere: (app: Application) => boolean,
  name: string = 'shop',
): Promise<Application> {
  let last: Application | undefined
  try {
    return await eventually(what, async () => {
      const found = await client.get({ resource: ApplicationKind, namespace: 'argocd', name })
      last = found.ok ? (found.value as Application) : undefined
      return last && isThere(last) ? last : undefined
    })
  } catch (cause) {
    throw new Error(`${what}; it is ${JSON.stringify(last?.status)}`, { cause })
  }
}

const isAt =
  (revision: string) =>
  ({ status }: Application): boolean =>
    status?.sync?.status === 'Synced' &&
    status.operationState?.phase === 'Succeeded' &&
    status.operationState.syncResult?.revision === revision

async function live(resource: ResourceId, name: string): Promise<KubeObject | undefined> {
  const found = await client.get({ resource, namespace: 'shop', name })
  return found.ok ? found.value : undefined
}

const valueOf = (object: KubeObject | undefined): unknown =>
  (object?.['data'] as { readonly value?: string } | undefined)?.value

describe.runIf(hasGit)('a commit', () => {
  test('reaches the cluster wave by wave, each healthy before the next', async () => {
    const sha = commit({
      'late.json': [configMap('late', 'x', wave(2))],
      'web.json': [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web' },
          spec: {
            replicas: 1,
            selector: { matchLabels: { app: 'story' } },
            template: {
              metadata: { labels: { app: 'story' } },
              spec: { containers: [{ name: 'main', image: 'story' }] },
            },
          },
        },
      ],
      'early.json': [configMap('early', 'x', wave(-1))],
    })
    await createApp()
    const late = await eventually('the last wave', () => live(core('configmaps'), 'late'))
    const web = await live(deployments, 'web')
    const early = await live(core('configmaps'), 'early')
    expect(web?.['status']).toMatchObject({ readyReplicas: 1 })
    const versions = [early, late].map((object) => Number(object?.metadata.resourceVersion))
    expect(versions[0]).toBeLessThan(versions[1] ?? 0)
    await until('Synced and Healthy', (app) => isAt(sha)(app) && app.status?.health?.status === 'Healthy')
  })

  test('is undone and done by hand no longer than a watch takes', async () => {
    const sha = commit({ 'a.json': [configMap('a', 'git')] })
    await createApp()
    await until('Synced', isAt(sha))
    const began = performance.now()
    await client.patch(
      { resource: core('configmaps'), namespace: 'shop', name: 'a' },
      { type: 'merge', body: { data: { value: 'hand' } } },
    )
    await eventually('healed', async () => (valueOf(await live(core('configmaps'), 'a')) === 'git' ? true : undefined))
    console.log(`a change by hand was undone after ${Math.round(performance.now() - began)} ms`)
    const next = commit({ 'a.json': [configMap('a', 'newer')] })
    const committed = performance.now()
    await eventually('live', async () => (valueOf(await live(core('configmaps'), 'a')) === 'newer' ? true : undefined))
    console.log(`a commit was live after ${Math.round(performance.now() - committed)} ms`)
    expect(await until('Synced', isAt(next))).toMatchObject({
      status: { history: [{ revision: sha }, { revision: next }] },
    })
  })

  test('with a failing PreSync hook changes nothing, and says which container failed', async () => {
    commit({ 'a.json': [configMap('a')], 'check.json': [job('check', 'exit=3 after=10ms', hook('PreSync'))] })
    await createApp({ syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'], retry: { limit: 0 } } })
    const app = await until('Failed', ({ status }) => status?.operationState?.phase === 'Failed')
    expect(app.status?.operationState?.syncResult?.resources?.find(({ name }) => name === 'check')).toMatchObject({
      hookPhase: 'Failed',
      hookType: 'PreSync',
    })
    expect(await live(core('configmaps'), 'a')).toBeUndefined()
    const why = await idp(['app', 'why', 'shop', '--kubeconfig', api.kubeconfig])
    expect(why.stdout).toContain('the last sync failed')
  })

  test('with a PostSync hook runs it when everything else is there; what is pruned last, goes last', async () => {
    commit({
      'a.json': [configMap('a')],
      'old.json': [configMap('old', '', { 'argocd.argoproj.io/sync-options': 'PruneLast=true' })],
    })
    await createApp()
    await until(
      'Synced',
      ({ status }) => status?.sync?.status === 'Synced' && status.operationState?.phase === 'Succeeded',
    )
    const sha = commit({
      'a.json': [configMap('a', '2')],
      'tell.json': [job('tell', 'exit=0 after=10ms', hook('PostSync'))],
    })
    const app = await until('Synced', isAt(sha))
    const results = app.status?.operationState?.syncResult?.resources ?? []
    expect(results.map(({ name, syncPhase, status }) => [name, syncPhase, status])).toEqual([
      ['a', 'Sync', 'Synced'],
      ['old', 'Sync', 'Pruned'],
      ['tell', 'PostSync', 'Synced'],
    ])
    expect(await live(core('configmaps'), 'old')).toBeUndefined()
  })

  test('gets in while a hook of the one before never ends', async () => {
    commit({ 'a.json': [configMap('a')], 'stuck.json': [job('stuck', 'pull=fail', hook('PreSync'))] })
    await createApp()
    await until('waiting', ({ status }) =>
      /waiting for completion of hook batch\/Job\/stuck: .*image/i.test(status?.operationState?.message ?? ''),
    )
    const sha = commit({ 'a.json': [configMap('a', 'mended')] })
    await until('Synced', isAt(sha))
    expect(valueOf(await live(core('configmaps'), 'a'))).toBe('mended')
    await eventually('the hook is gone', async () => ((await live(jobs, 'stuck')) ? undefined : true))
  })

  test('is gone on with after a crash in the middle', async () => {
    const sha = commit({
      'first.json': [configMap('first', '', wave(-1))],
      'slow.json': [job('slow', 'exit=0 after=2s', hook('Sync'))],
      'last.json': [configMap('last', '', wave(1))],
    })
    await createApp()
    const before = await until(
      'waiting',
      ({ status }) => status?.operationState?.message?.includes('batch/Job/slow') ?? false,
    )
    const { folder: state } = api
    await client.close()
    await api.kill()
    await start(state)
    const after = await until('Synced', isAt(sha))
    expect(after.status?.operationState?.startedAt).toBe(before.status?.operationState?.startedAt)
    expect(after.status?.history).toHaveLength(1)
    expect(await live(core('configmaps'), 'last')).toBeDefined()
  })

  test('may bring a definition and an object of it', async () => {
    const sha = commit({
      'object.json': [{ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { size: 1 } }],
      'definition.json': [
        {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: 'widgets.example.com' },
          spec: {
            group: 'example.com',
            scope: 'Namespaced',
            names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
              },
            ],
          },
        },
      ],
    })
    await createApp()
    await until('Synced', isAt(sha))
    expect(await live({ group: 'example.com', version: 'v1', plural: 'widgets' }, 'w')).toBeDefined()
  })
})

describe.runIf(hasGit)('Applications', () => {
  test('that name one object are both told', async () => {
    commit({ 'a.json': [configMap('a')] })
    await createApp()
    await until('Synced', ({ status }) => status?.sync?.status === 'Synced')
    await createApp({ syncPolicy: {} }, 'other')
    const other = await until('a warning', ({ status }) => (status?.conditions?.length ?? 0) > 0, 'other')
    expect(other.status?.conditions).toMatchObject([
      { type: 'SharedResourceWarning', message: 'ConfigMap/a is part of applications other and shop' },
    ])
  })

  test('wait for a deny window to close', async () => {
    commit({ 'a.json': [configMap('a')] })
    await client.create(
      { resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'appprojects' }, namespace: 'argocd' },
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name: 'careful', namespace: 'argocd' },
        spec: {
          sourceRepos: ['*'],
          destinations: [{ server: '*', namespace: '*' }],
          syncWindows: [{ kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['*'] }],
        },
      },
    )
    await createApp({ project: 'careful' })
    await until('OutOfSync', ({ status }) => status?.sync?.status === 'OutOfSync')
    const asked = await idp(['app', 'sync', 'shop', '--async', '--kubeconfig', api.kubeconfig])
    expect(asked.code).toBe(0)
    const app = await until('told', ({ status }) => status?.operationState !== undefined)
    expect(app.status?.operationState?.message).toContain('blocked by sync window')
    expect(await live(core('configmaps'), 'a')).toBeUndefined()
  })

  test('go back to what was synced before, and end a sync that waits, by the command line', async () => {
    const app = (...words: readonly string[]) => idp(['app', ...words, '--kubeconfig', api.kubeconfig])
    const manual = { syncOptions: ['CreateNamespace=true'] }
    const first = commit({ 'a.json': [configMap('a', 'one')] })
    await createApp({ syncPolicy: manual })
    expect((await app('sync', 'shop')).code).toBe(0)
    await until('the first commit', isAt(first))
    const second = commit({ 'a.json': [configMap('a', 'two')] })
    expect((await app('sync', 'shop')).code).toBe(0)
    await until('the second commit', isAt(second))

    expect(await app('rollback', 'shop')).toMatchObject({ code: 0 })
    expect(valueOf(await live(core('configmaps'), 'a'))).toBe('one')
    expect(await app('rollback', 'shop', '77')).toMatchObject({ code: 2 })

    commit({ 'a.json': [configMap('a', 'three')], 'job.json': [job('slow', 'pull=fail', hook('PreSync'))] })
    const syncing = app('sync', 'shop')
    await until('it waits for the hook', ({ status }) => status?.operationState?.message?.includes('slow') === true)
    expect((await app('terminate', 'shop')).code).toBe(0)
    expect(await syncing).toMatchObject({ code: 1, stdout: expect.stringContaining('Operation terminated') as string })
    expect(valueOf(await live(core('configmaps'), 'a'))).toBe('one')
    expect((await app('terminate', 'shop')).stdout).toContain('no sync is in progress')
  })

  test('take their objects with them, and the command line says how that goes', async () => {
    const sha = commit({ 'a.json': [configMap('a')], 'b.json': [configMap('b', '', wave(1))] })
    await createApp()
    await until('Synced', isAt(sha))
    const listed = await idp(['app', 'list', '--kubeconfig', api.kubeconfig])
    expect(listed.stdout).toMatch(/argocd +shop +default +Synced +Healthy +Succeeded/)
    const same = await idp(['app', 'diff', 'shop', '--kubeconfig', api.kubeconfig, '--state', join(folder, 'cli')])
    expect([same.code, same.stdout]).toEqual([0, 'no differences\n'])
    const deleted = await idp(['app', 'delete', 'shop', '--wait', '--kubeconfig', api.kubeconfig])
    expect([deleted.code, deleted.stdout]).toEqual([0, expect.stringMatching(/shop: deleted\n$/)])
    expect(await live(core('configmaps'), 'a')).toBeUndefined()
  })
})
