import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { systemClock } from '../../lib/clock.ts'
import type { Json } from '../../lib/json.ts'
import type { Application } from './application.ts'
import { application, automated, configMap, type GitOpsWorld, gitOpsWorld } from './applications.testkit.ts'

let world: GitOpsWorld
beforeEach(async () => {
  world = await gitOpsWorld()
})
afterEach(() => world.close())

const maps = { group: '', version: 'v1', plural: 'configmaps' }
const jobs = { group: 'batch', version: 'v1', plural: 'jobs' }

const mapNamed = async (name: string): Promise<KubeObject | undefined> => {
  const found = await world.client.get({ resource: maps, namespace: 'shop', name })
  return found.ok ? found.value : undefined
}

const job = (name: string, annotations: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } } },
})

const hook = (phase: string, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  'argocd.argoproj.io/hook': phase,
  ...more,
})

const wave = (number: number): object => ({ annotations: { 'argocd.argoproj.io/sync-wave': String(number) } })

/** Plays the Job controller, which does not run in these worlds. */
async function endJob(name: string, type: 'Complete' | 'Failed', message: string = ''): Promise<void> {
  const found = { resource: jobs, namespace: 'shop', name }
  const target = { ...found, subresource: 'status' }
  await world.eventually(async () => ((await world.client.get(found)).ok ? true : undefined))
  const time = '2026-01-01T00:00:00Z'
  const conditions = [
    {
      type: type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget',
      status: 'True',
      message,
      lastTransitionTime: time,
    },
    { type, status: 'True', message, lastTransitionTime: time },
  ]
  const times =
    type === 'Complete' ? { startTime: time, completionTime: time, succeeded: 1 } : { startTime: time, failed: 1 }
  const answer = await world.client.patch(target, { type: 'merge', body: { status: { ...times, conditions } } })
  if (!answer.ok) throw new Error(answer.error.message)
}

const isSynced = ({ status }: Application): boolean =>
  status?.sync?.status === 'Synced' && status.operationState?.phase === 'Succeeded'
const isAt =
  (revision: string) =>
  (app: Application): boolean =>
    isSynced(app) && app.status?.operationState?.syncResult?.revision === revision

describe('an automated Application', () => {
  test('gets what Git has into the cluster, and tells that it is Synced and Healthy', async () => {
    world.commit('rev1', [configMap('a', { x: '1' })])
    await world.create(application(automated))
    const app = await world.until(isSynced)
    expect(app.status).toMatchObject({
      sync: { status: 'Synced', revision: 'rev1', comparedTo: { destination: { namespace: 'shop' } } },
      health: { status: 'Healthy' },
      operationState: {
        phase: 'Succeeded',
        message: 'successfully synced (all tasks run)',
        operation: { initiatedBy: { automated: true } },
      },
      history: [{ id: 0, revision: 'rev1' }],
      resources: [{ kind: 'ConfigMap', name: 'a', namespace: 'shop', status: 'Synced', version: 'v1' }],
      sourceType: 'Directory',
      controllerNamespace: 'argocd',
    })
    expect(app.operation).toBeUndefined()
    expect(await mapNamed('a')).toMatchObject({
      data: { x: '1' },
      metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:shop/a' } },
    })
  })

  test('follows a commit: changes, adds, and prunes', async () => {
    world.commit('rev1', [configMap('a', { x: '1', y: '1' }), configMap('b')])
    await world.create(application(automated))
    await world.until(isSynced)
    world.commit('rev2', [configMap('a', { x: '2' }), configMap('c')])
    const app = await world.until(isAt('rev2'))
    expect((await mapNamed('a'))?.['data']).toEqual({ x: '2' })
    expect(await mapNamed('b')).toBeUndefined()
    expect(await mapNamed('c')).toBeDefined()
    expect(app.status?.history?.map(({ revision }) => revision)).toEqual(['rev1', 'rev2'])
  })

  test('makes anew what somebody else had deleted when the sync wrote it', async () => {
    world.commit('rev1', [configMap('a', { x: '1' })])
    await world.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    const { metadata } = await world.create({ ...configMap('a'), metadata: { name: 'a', namespace: 'shop' } })
    const target = { resource: maps, namespace: 'shop', name: 'a' }
    await world.client.delete(target, { propagationPolicy: 'Foreground' })
    await world.create(application(automated))
    await world.eventually(async () => ((await mapNamed('a'))?.['data'] ? true : undefined))
    await world.client.patch(target, { type: 'merge', body: { metadata: { finalizers: null } } })
    await world.until(isSynced)
    const made = await mapNamed('a')
    expect(made?.['data']).toEqual({ x: '1' })
    expect(made?.metadata.uid).not.toBe(metadata.uid)
  })

  test('does not prune what another Application takes over meanwhile, and prunes what only changes', async () => {
    world.commit('rev1', [configMap('a'), configMap('b'), configMap('c')])
    await world.create(application(automated))
    await world.until(isSynced)
    const change = (name: string, body: Json): void => {
      const target = { resource: maps, namespace: 'shop', name }
      world.beforeDelete.push(() => world.client.patch(target, { type: 'merge', body }))
    }
    change('a', { metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'other:/ConfigMap:shop/a' } } })
    change('b', { data: { x: 'changed' } })
    world.commit('rev2', [configMap('c')])
    const app = await world.until(isAt('rev2'))
    expect(await mapNamed('a')).toBeDefined()
    expect(await mapNamed('b')).toBeUndefined()
    expect(app.status?.operationState?.syncResult?.resources?.find(({ name }) => name === 'a')).toMatchObject({
      status: 'PruneSkipped',
      message: 'left to other, whose it is now',
    })
  })

  test('puts right what somebody changes by hand, and syncs nothing else for that', async () => {
    world.commit('rev1', [configMap('a', { x: '1' }), configMap('b')])
    await world.create(application(automated))
    await world.until(isSynced)
    const began = performance.now()
    await world.client.patch(
      { resource: maps, namespace: 'shop', name: 'a' },
      { type: 'merge', body: { data: { x: 'hand' } } },
    )
    await world.eventually(
      async () => ((await mapNamed('a'))?.['data'] as { x?: string } | undefined)?.x === '1' || undefined,
    )
    console.log(`self-healed after ${Math.round(performance.now() - began)} ms`)
    const app = await world.until(isSynced)
    expect(app.status?.operationState?.operation.sync?.resources).toEqual([
      { group: '', kind: 'ConfigMap', name: 'a', namespace: 'shop' },
    ])
  })

  test('comes to rest: what is Synced is not touched again', async () => {
    world.commit('rev1', [configMap('a', { x: '1' })])
    await world.create(application(automated))
    const app = await world.until(isSynced)
    await systemClock.sleep(100)
    expect((await world.app()).metadata.resourceVersion).toBe(app.metadata.resourceVersion)
  })

  test('never wipes everything out because Git has nothing, unless it may', async () => {
    world.commit('rev1', [configMap('a')])
    await world.create(application(automated))
    await world.until(isSynced)
    world.commit('rev2', [])
    const app = await world.until(({ status }) => status?.conditions?.some(({ type }) => type === 'SyncError') ?? false)
    expect(app.status?.conditions?.[0]?.message).toContain('auto-sync will wipe out all resources')
    expect(await mapNamed('a')).toBeDefined()
  })

  test('keeps everything when its source cannot be read, and says so', async () => {
    world.commit('rev1', [configMap('a')])
    await world.create(application(automated))
    await world.until(isSynced)
    world.source.set('https://git.example.com/shop.git', 'app', {
      revision: 'rev2',
      problem: { code: 'git-unreachable', message: 'the repository does not answer' },
    })
    const app = await world.until(({ status }) => status?.sync?.status === 'Unknown')
    expect(app.status?.conditions).toMatchObject([
      { type: 'ComparisonError', message: expect.stringContaining('the repository does not answer') as string },
    ])
    expect(await mapNamed('a')).toBeDefined()
    world.commit('rev3', [configMap('a', { x: '3' })])
    await world.until(isAt('rev3'))
  })
})

describe('hooks and waves', () => {
  test('a failing PreSync hook stops the sync, names why, and is tried again as often as allowed', async () => {
    world.commit('rev1', [job('check', hook('PreSync')), configMap('a')])
    await world.create(
      application({ syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'], retry: { limit: 0 } } }),
    )
    await world.until(
      ({ status }) => status?.operationState?.message?.includes('waiting for completion of hook') ?? false,
    )
    await endJob('check', 'Failed', 'the database is not there')
    const app = await world.until(({ status }) => status?.operationState?.phase === 'Failed')
    expect(app.status?.operationState).toMatchObject({
      message: 'one or more synchronization tasks completed unsuccessfully',
      syncResult: {
        resources: expect.arrayContaining([
          expect.objectContaining({ name: 'check', hookPhase: 'Failed', message: 'the database is not there' }),
        ]) as unknown,
      },
    })
    expect(await mapNamed('a')).toBeUndefined()
  })

  test('a commit gets in while a hook of the one before is stuck', async () => {
    world.commit('rev1', [job('migrate', hook('PreSync')), configMap('a')])
    await world.create(application(automated))
    await world.until(
      ({ status }) =>
        status?.operationState?.message?.includes('waiting for completion of hook batch/Job/migrate') ?? false,
    )
    world.commit('rev2', [configMap('a', { x: '2' })])
    await world.until(isAt('rev2'))
    expect((await mapNamed('a'))?.['data']).toEqual({ x: '2' })
    expect((await world.client.get({ resource: jobs, namespace: 'shop', name: 'migrate' })).ok).toBe(false)
  })

  test('PostSync hooks run when everything is there, and go as their policy says', async () => {
    world.commit('rev1', [
      job('tell', hook('PostSync', { 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded' })),
      configMap('a'),
    ])
    await world.create(application(automated))
    await endJob('tell', 'Complete')
    const app = await world.until(isSynced)
    expect(await mapNamed('a')).toBeDefined()
    await world.eventually(async () =>
      (await world.client.get({ resource: jobs, namespace: 'shop', name: 'tell' })).ok ? undefined : true,
    )
    expect(
      app.status?.operationState?.syncResult?.resources?.map(({ name, hookPhase }) => [name, hookPhase]),
    ).toContainEqual(['tell', 'Succeeded'])
  })

  test('a definition and an object of it come in one commit', async () => {
    const definition: KubeObject = {
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
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: { spec: { type: 'object', properties: { size: { type: 'integer', default: 3 } } } },
              },
            },
          },
        ],
      },
    }
    world.commit('rev1', [
      { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: {} },
      definition,
    ])
    await world.create(application(automated))
    await world.until(isSynced)
    const found = await world.client.get({
      resource: { group: 'example.com', version: 'v1', plural: 'widgets' },
      namespace: 'shop',
      name: 'w',
    })
    expect(found.ok && found.value['spec']).toEqual({ size: 3 })
  })

  test('a restart in the middle goes on where it was', async () => {
    world.commit('rev1', [configMap('first', {}, wave(-1)), job('slow', hook('Sync')), configMap('last', {}, wave(1))])
    await world.create(application(automated))
    const waiting = await world.until(
      ({ status }) => status?.operationState?.message?.includes('batch/Job/slow') ?? false,
    )
    await world.restart()
    await endJob('slow', 'Complete')
    const app = await world.until(isSynced)
    expect(app.status?.operationState?.startedAt).toBe(waiting.status?.operationState?.startedAt)
    expect(await mapNamed('last')).toBeDefined()
    expect(app.status?.history).toHaveLength(1)
  })
})

describe('an Application that is asked', () => {
  test('syncs when an operation is set, and not before', async () => {
    world.commit('rev1', [configMap('a')])
    await world.create(application({ syncPolicy: { syncOptions: ['CreateNamespace=true'] } }))
    const before = await world.until(({ status }) => status?.sync?.status === 'OutOfSync')
    expect(before.status?.health?.status).toBe('Missing')
    expect(before.status?.operationState).toBeUndefined()
    const target = {
      resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
      namespace: 'argocd',
      name: 'shop',
    }
    await world.client.patch(target, {
      type: 'merge',
      body: { operation: { sync: { syncOptions: ['CreateNamespace=true'] }, initiatedBy: { username: 'ada' } } },
    })
    const app = await world.until(isSynced)
    expect(app.operation).toBeUndefined()
    expect(app.status?.operationState?.operation.initiatedBy).toEqual({ username: 'ada' })
  })

  test('is refreshed by its annotation, which is taken away', async () => {
    world.commit('rev1', [configMap('a')])
    await world.create(application())
    await world.until(({ status }) => status?.sync?.status === 'OutOfSync')
    const target = {
      resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
      namespace: 'argocd',
      name: 'shop',
    }
    await world.client.patch(target, {
      type: 'merge',
      body: { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } },
    })
    const app = await world.until(({ metadata }) => metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined)
    expect(app.status?.sync?.status).toBe('OutOfSync')
  })

  test('says which project it names in vain', async () => {
    world.commit('rev1', [configMap('a')])
    await world.create(application({ project: 'nowhere' }))
    const app = await world.until(({ status }) => (status?.conditions?.length ?? 0) > 0)
    expect(app.status).toMatchObject({
      sync: { status: 'Unknown' },
      health: { status: 'Unknown' },
      conditions: [
        {
          type: 'InvalidSpecError',
          message: expect.stringContaining('project nowhere which does not exist') as string,
        },
      ],
    })
  })

  test('is held back by a deny window, and says until when', async () => {
    world.commit('rev1', [configMap('a')])
    await world.create({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'careful', namespace: 'argocd' },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ server: '*', namespace: '*' }],
        syncWindows: [{ kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['*'], manualSync: false }],
      },
    })
    await world.create(application({ ...automated, project: 'careful' }))
    await world.until(({ status }) => status?.sync?.status === 'OutOfSync')
    const target = {
      resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
      namespace: 'argocd',
      name: 'shop',
    }
    await world.client.patch(target, { type: 'merge', body: { operation: { sync: {} } } })
    const app = await world.until(({ status }) => status?.operationState !== undefined)
    expect(app.status?.operationState?.message).toContain('Sync operation blocked by sync window')
    expect(await mapNamed('a')).toBeUndefined()
  })
})

describe('what users set', () => {
  const target = {
    resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
    namespace: 'argocd',
    name: 'shop',
  }
  const mapTarget = { resource: maps, namespace: 'shop', name: 'a' }

  test('a pause holds back what is automated, until it is taken away', async () => {
    world.commit('rev1', [configMap('a', { x: '1' })])
    await world.create(application(automated))
    await world.until(isSynced)
    const paused = { 'idp-blueprint.io/paused-until': 'resumed', 'idp-blueprint.io/paused-because': 'a look' }
    await world.client.patch(target, { type: 'merge', body: { metadata: { annotations: paused } } })
    world.commit('rev2', [configMap('a', { x: '2' })])
    await world.until(({ status }) => status?.sync?.status === 'OutOfSync')
    expect((await mapNamed('a'))?.['data']).toEqual({ x: '1' })
    await world.client.patch(target, {
      type: 'merge',
      body: { metadata: { annotations: { 'idp-blueprint.io/paused-until': null } } },
    })
    expect(await world.until(isAt('rev2'))).toBeDefined()
  })

  test('a difference that is ignored is no drift, and with RespectIgnoreDifferences is not written over', async () => {
    world.commit('rev1', [configMap('a', { x: '1', y: '1' })])
    const syncOptions = ['CreateNamespace=true', 'RespectIgnoreDifferences=true']
    const ignoreDifferences = [{ kind: 'ConfigMap', jsonPointers: ['/data/x'] }]
    await world.create(application({ syncPolicy: { automated: { selfHeal: true }, syncOptions }, ignoreDifferences }))
    await world.until(isSynced)
    await world.client.patch(mapTarget, { type: 'merge', body: { data: { x: 'mine' } } })
    world.commit('rev2', [configMap('a', { x: '1', y: '2' })])
    await world.until(isAt('rev2'))
    expect((await mapNamed('a'))?.['data']).toEqual({ x: 'mine', y: '2' })
  })

  test('a project that watches for orphans hears of each, and of its end', async () => {
    world.commit('rev1', [configMap('a')])
    await world.create({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'tidy', namespace: 'argocd' },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ server: '*', namespace: '*' }],
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
        orphanedResources: { warn: true },
      },
    })
    await world.create(application({ ...automated, project: 'tidy' }))
    await world.until(isSynced)
    await world.create({ ...configMap('stray'), metadata: { name: 'stray', namespace: 'shop' } })
    const app = await world.until(({ status }) => (status?.conditions?.length ?? 0) > 0)
    expect(app.status?.conditions).toMatchObject([
      { type: 'OrphanedResourceWarning', message: 'Application has 1 orphaned resources' },
    ])
    await world.client.delete({ resource: maps, namespace: 'shop', name: 'stray' })
    await world.until(({ status }) => (status?.conditions?.length ?? 0) === 0)
  })

  test('a label tracks objects when the settings say so', async () => {
    await world.create({
      ...configMap('argocd-cm', { 'application.resourceTrackingMethod': 'label' }),
      metadata: { name: 'argocd-cm', namespace: 'argocd' },
    })
    world.commit('rev1', [configMap('a')])
    await world.create(application(automated))
    await world.until(isSynced)
    expect((await mapNamed('a'))?.metadata.labels).toEqual({ 'app.kubernetes.io/instance': 'shop' })
    expect(Object.keys((await mapNamed('a'))?.metadata.annotations ?? {})).not.toContain(
      'argocd.argoproj.io/tracking-id',
    )
  })

  test('an Application of another namespace is looked after only where that is allowed', async () => {
    world.commit('rev1', [configMap('a')])
    const elsewhere: KubeObject = application({ ...automated, project: 'team' })
    await world.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
    await world.create({
      ...configMap('argocd-cmd-params-cm', { 'application.namespaces': 'te*' }),
      metadata: { name: 'argocd-cmd-params-cm', namespace: 'argocd' },
    })
    await world.create({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'team', namespace: 'argocd' },
      spec: {
        sourceRepos: ['*'],
        sourceNamespaces: ['team'],
        destinations: [{ server: '*', namespace: '*' }],
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      },
    })
    await world.create({ ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'team' } })
    const map = await world.eventually(() => mapNamed('a'))
    expect(map.metadata.annotations?.['argocd.argoproj.io/tracking-id']).toBe('team_shop:/ConfigMap:shop/a')
  })
})

describe('two Applications that name one object', () => {
  test('are told of each other, and the second leaves it when asked to', async () => {
    world.commit('rev1', [configMap('a', { x: '1' })])
    await world.create(application(automated))
    await world.until(isSynced)
    const careful = {
      ...automated,
      syncPolicy: { automated: {}, syncOptions: ['FailOnSharedResource=true'], retry: { limit: 0 } },
    }
    await world.create(application(careful, 'other'))
    const other = await world.until(({ status }) => status?.operationState?.phase === 'Failed', 'other')
    expect(other.status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'SharedResourceWarning',
        message: 'ConfigMap/a is part of applications other and shop',
      }),
    )
    expect(other.status?.operationState?.message).toContain('Shared resource found')
  })
})

describe('a deleted Application', () => {
  const finalizers = ['resources-finalizer.argocd.argoproj.io']
  const target = {
    resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
    namespace: 'argocd',
    name: 'shop',
  }
  const gone = (): Promise<true> =>
    world.eventually(async () => ((await world.client.get(target)).ok ? undefined : true))
  const begin = async (manifests: readonly KubeObject[]): Promise<void> => {
    world.commit('rev1', manifests)
    const app = application(automated)
    await world.create({ ...app, metadata: { ...app.metadata, finalizers } })
    await world.until(isSynced)
    await world.client.delete(target)
  }

  test('takes its objects with it, but not what is to stay', async () => {
    await begin([
      configMap('a'),
      configMap('kept', {}, { annotations: { 'argocd.argoproj.io/sync-options': 'Delete=false' } }),
      configMap('late', {}, wave(5)),
    ])
    await gone()
    expect(await mapNamed('a')).toBeUndefined()
    expect(await mapNamed('late')).toBeUndefined()
    expect(await mapNamed('kept')).toBeDefined()
  })

  test('leaves an object to whom it was given while the deletion was on its way', async () => {
    world.beforeDelete.push(() =>
      world.client.patch(
        { resource: maps, namespace: 'shop', name: 'a' },
        {
          type: 'merge',
          body: { metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'other:/ConfigMap:shop/a' } } },
        },
      ),
    )
    await begin([configMap('a'), configMap('b')])
    await gone()
    expect(await mapNamed('b')).toBeUndefined()
    expect(await mapNamed('a')).toBeDefined()
  })

  test('runs its hooks before and after', async () => {
    await begin([configMap('a'), job('before', hook('PreDelete')), job('after', hook('PostDelete'))])
    await endJob('before', 'Complete')
    expect(await mapNamed('after')).toBeUndefined()
    await endJob('after', 'Complete')
    await gone()
    expect(await mapNamed('a')).toBeUndefined()
  })

  test('waits for a word where that is asked for', async () => {
    await begin([configMap('a', {}, { annotations: { 'argocd.argoproj.io/sync-options': 'Delete=confirm' } })])
    const app = await world.until(
      ({ status }) => status?.conditions?.some(({ type }) => type === 'DeletionError') ?? false,
    )
    expect(app.status?.conditions?.[0]?.message).toBe('waiting for deletion confirmation of ConfigMap shop/a')
    const approved = new Date(systemClock.now() + 1_000).toISOString()
    await world.client.patch(target, {
      type: 'merge',
      body: { metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': approved } } },
    })
    await gone()
  })
})
