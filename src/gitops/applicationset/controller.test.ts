import { afterEach, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { ApplicationKind } from '../application/application.ts'
import { ApplicationSetKind } from './application-set.ts'
import { type ApplicationSetWorld, applicationSetWorld } from './applicationset-world.testkit.ts'

let world: ApplicationSetWorld
afterEach(() => world.stop())

const REPO = 'https://example.com/apps'
const template = (more: object = {}): object => ({
  metadata: { name: '{{ .path.basename }}', labels: { env: '{{ index .path.segments 1 }}' } },
  spec: {
    project: 'default',
    source: { repoURL: REPO, path: '{{ .path.path }}', targetRevision: 'main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'apps' },
    ...more,
  },
})
const folders = (more: object = {}): object => ({
  goTemplate: true,
  generators: [{ git: { repoURL: REPO, revision: 'main', directories: [{ path: 'apps/*' }] } }],
  template: template(),
  ...more,
})
const repository = (...apps: readonly string[]): Record<string, Record<string, Record<string, string>>> => ({
  [REPO]: { main: Object.fromEntries(apps.map((app) => [`apps/${app}/kustomization.yaml`, ''])) },
})
const listed = (elements: readonly object[], more: object = {}, templateMore: object = {}): object => ({
  goTemplate: true,
  generators: [{ list: { elements } }],
  template: {
    metadata: { name: '{{ .name }}', labels: { env: '{{ default "none" .env }}' } },
    spec: {
      project: '{{ default "default" .project }}',
      source: { repoURL: REPO, path: '{{ .name }}', targetRevision: '{{ default "main" .revision }}' },
      destination: { server: '{{ default "https://kubernetes.default.svc" .server }}', namespace: 'apps' },
      ...templateMore,
    },
  },
  ...more,
})
const spec = (object: KubeObject | undefined): Record<string, never> => object?.['spec'] as Record<string, never>

test('folders become Applications that belong to the set, and a set that is at rest writes nothing', async () => {
  world = await applicationSetWorld(repository('shop', 'cart'))
  await world.set('apps', folders())
  expect(await world.names()).toEqual(['cart', 'shop'])
  const shop = await world.get(ApplicationKind, 'shop')
  expect(shop?.metadata).toMatchObject({
    finalizers: ['resources-finalizer.argocd.argoproj.io'],
    ownerReferences: [{ kind: 'ApplicationSet', name: 'apps', controller: true }],
  })
  expect(await world.condition('apps', 'ResourcesUpToDate')).toMatch(/^True ApplicationSetUpToDate/)
  expect(await world.condition('apps', 'ErrorOccurred')).toMatch(/^False/)
  const set = await world.get(ApplicationSetKind, 'apps')
  expect(set?.['status']).toMatchObject({ resourcesCount: 2, health: { status: 'Healthy' } })
  await world.settle(600_000)
  expect((await world.get(ApplicationKind, 'shop'))?.metadata.resourceVersion).toBe(shop?.metadata.resourceVersion)
  expect((await world.get(ApplicationSetKind, 'apps'))?.metadata.resourceVersion).toBe(set?.metadata.resourceVersion)
  expect(world.complaints).toEqual([])
})

test('a renamed folder is another Application at once, without waiting for a poll', async () => {
  world = await applicationSetWorld(repository('shop', 'cart'))
  await world.set('apps', folders())
  world.git.set(repository('shop', 'basket'))
  await world.settle(100)
  const cart = await world.get(ApplicationKind, 'cart')
  expect(cart?.metadata.deletionTimestamp).toBeDefined()
  expect(await world.names()).toContain('basket')
})

test('a generator that fails deletes nothing, says why, and all is well again afterwards', async () => {
  world = await applicationSetWorld(repository('shop', 'cart'))
  await world.set('apps', folders())
  world.git.set({})
  await world.settle(400_000)
  expect(await world.names()).toEqual(['cart', 'shop'])
  expect((await world.applications()).every(({ metadata }) => metadata.deletionTimestamp === undefined)).toBe(true)
  expect(await world.condition('apps', 'ErrorOccurred')).toMatch(
    /^True ApplicationGenerationFromParamsError: error generating/,
  )
  expect(await world.condition('apps', 'ParametersGenerated')).toMatch(/^False/)
  world.git.set(repository('shop', 'cart', 'search'))
  await world.settle(100)
  expect(await world.names()).toEqual(['cart', 'search', 'shop'])
  expect(await world.condition('apps', 'ErrorOccurred')).toMatch(/^False/)
})

test('one failing generator of two keeps the Applications of both', async () => {
  world = await applicationSetWorld(repository('shop'))
  const one = { git: { repoURL: REPO, revision: 'main', directories: [{ path: 'apps/*' }] } }
  const other = { list: { elements: [{ path: { basename: 'listed', path: 'x', segments: ['a', 'b'] } }] } }
  await world.set('apps', folders({ generators: [one, other] }))
  expect(await world.names()).toEqual(['listed', 'shop'])
  world.git.set({})
  await world.settle(400_000)
  expect(await world.names()).toEqual(['listed', 'shop'])
})

test('a template that cannot be filled deletes nothing', async () => {
  world = await applicationSetWorld()
  await world.set('apps', listed([{ name: 'a', env: 'x' }]))
  await world.change(ApplicationSetKind, 'apps', {
    spec: {
      template: { metadata: { labels: { env: '{{ .env }}' } } },
      goTemplateOptions: ['missingkey=error'],
      generators: [{ list: { elements: [{ name: 'a' }] } }],
    },
  })
  expect(await world.names()).toEqual(['a'])
  expect(await world.condition('apps', 'ErrorOccurred')).toMatch(
    /^True RenderTemplateParamsError.*no entry for key "env"/,
  )
})

test.each<[name: string, policy: string, change: boolean, remove: boolean]>([
  ['sync', 'sync', true, true],
  ['create-only', 'create-only', false, false],
  ['create-update', 'create-update', true, false],
  ['create-delete', 'create-delete', false, true],
])('with %s', async (_, applicationsSync, changes, removes) => {
  world = await applicationSetWorld()
  await world.set('apps', listed([{ name: 'a' }, { name: 'b' }], { syncPolicy: { applicationsSync } }))
  await world.change(ApplicationSetKind, 'apps', {
    spec: { generators: [{ list: { elements: [{ name: 'a', revision: 'next' }, { name: 'c' }] } }] },
  })
  const a = await world.get(ApplicationKind, 'a')
  expect(spec(a)).toMatchObject({ source: { targetRevision: changes ? 'next' : 'main' } })
  expect((await world.get(ApplicationKind, 'b'))?.metadata.deletionTimestamp !== undefined).toBe(removes)
  expect(await world.names()).toContain('c')
})

test('an edit by hand is undone, but for what is preserved or ignored', async () => {
  world = await applicationSetWorld()
  const more = {
    preservedFields: { annotations: ['mine'] },
    ignoreApplicationDifferences: [
      { jsonPointers: ['/spec/source/targetRevision'] },
      { name: 'a', jqPathExpressions: ['.spec.syncPolicy.syncOptions'] },
    ],
  }
  await world.set('apps', listed([{ name: 'a' }], more))
  await world.change(ApplicationKind, 'a', {
    metadata: {
      annotations: {
        mine: 'kept',
        theirs: 'gone',
        'notified.notifications.argoproj.io': '{}',
        'idp-blueprint.io/paused-until': 'resumed',
      },
    },
    spec: { source: { targetRevision: 'pinned', path: 'elsewhere' }, syncPolicy: { syncOptions: ['Prune=false'] } },
  })
  const a = await world.get(ApplicationKind, 'a')
  expect(a?.metadata.annotations).toEqual({
    mine: 'kept',
    'notified.notifications.argoproj.io': '{}',
    'idp-blueprint.io/paused-until': 'resumed',
  })
  expect(spec(a)).toMatchObject({
    source: { targetRevision: 'pinned', path: 'a' },
    syncPolicy: { syncOptions: ['Prune=false'] },
  })
  expect(world.complaints).toEqual([])
})

test('an Application with a fault is told of and left alone, the others go on', async () => {
  world = await applicationSetWorld()
  await world.set('apps', listed([{ name: 'a' }, { name: 'b' }]))
  await world.change(ApplicationSetKind, 'apps', {
    spec: {
      generators: [
        {
          list: { elements: [{ name: 'a', project: 'none' }, { name: 'b', server: 'https://nowhere' }, { name: 'c' }] },
        },
      ],
    },
  })
  expect(await world.names()).toEqual(['a', 'b', 'c'])
  expect(spec(await world.get(ApplicationKind, 'a'))).toMatchObject({ project: 'default' })
  expect(await world.condition('apps', 'ErrorOccurred')).toBe(
    'True ApplicationValidationError: application destination spec is invalid: error getting cluster by server "https://nowhere": cluster "https://nowhere" not found (and 1 more)',
  )
})

test('two Applications of one name are one fault, and the first stays', async () => {
  world = await applicationSetWorld()
  await world.set(
    'apps',
    listed([
      { name: 'a', revision: 'one' },
      { name: 'a', revision: 'two' },
    ]),
  )
  expect(spec(await world.get(ApplicationKind, 'a'))).toMatchObject({ source: { targetRevision: 'one' } })
  expect(await world.condition('apps', 'ErrorOccurred')).toMatch(/duplicate name: a$/)
})

test("another set's Application is not taken over", async () => {
  world = await applicationSetWorld()
  await world.set('one', listed([{ name: 'a', revision: 'one' }]))
  await world.set('two', listed([{ name: 'a', revision: 'two' }, { name: 'b' }]))
  expect(spec(await world.get(ApplicationKind, 'a'))).toMatchObject({ source: { targetRevision: 'one' } })
  expect(await world.names()).toEqual(['a', 'b'])
  expect(await world.condition('two', 'ErrorOccurred')).toMatch(
    /^True UpdateApplicationError: the Application a belongs to ApplicationSet one/,
  )
})

test('the refresh annotation is answered and taken away', async () => {
  world = await applicationSetWorld(repository('shop'))
  await world.set('apps', folders())
  await world.change(ApplicationSetKind, 'apps', {
    metadata: { annotations: { 'argocd.argoproj.io/application-set-refresh': 'true' } },
  })
  expect((await world.get(ApplicationSetKind, 'apps'))?.metadata.annotations).toBeUndefined()
})

test('a set that may not delete lets its Applications live on when it is deleted', async () => {
  world = await applicationSetWorld()
  await world.set('apps', listed([{ name: 'a' }], { syncPolicy: { applicationsSync: 'create-update' } }))
  await world.remove(ApplicationSetKind, 'apps')
  expect(await world.get(ApplicationSetKind, 'apps')).toBeUndefined()
  expect((await world.get(ApplicationKind, 'a'))?.metadata.ownerReferences).toBeUndefined()
})

test('a cluster that appears makes an Application, and one whose cluster is gone loses its finalizer before it goes', async () => {
  world = await applicationSetWorld()
  await world.set('apps', {
    goTemplate: true,
    generators: [{ clusters: { selector: { matchLabels: { env: 'prod' } } } }],
    template: {
      metadata: { name: '{{ .nameNormalized }}' },
      spec: {
        project: 'default',
        source: { repoURL: REPO, path: 'x' },
        destination: { name: '{{ .name }}', namespace: 'x' },
      },
    },
  })
  expect(await world.names()).toEqual([])
  const Secret = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced' } as const
  await world.create(Secret, {
    metadata: { name: 'east', labels: { 'argocd.argoproj.io/secret-type': 'cluster', env: 'prod' } },
    stringData: { name: 'east', server: 'https://east' },
  })
  await world.settle()
  expect(await world.names()).toEqual(['east'])
  await world.remove(Secret, 'east')
  expect(await world.names()).toEqual([])
})

const rolling = (maxUpdate?: number | string): object => ({
  strategy: {
    type: 'RollingSync',
    deletionOrder: 'Reverse',
    rollingSync: {
      steps: [
        { matchExpressions: [{ key: 'env', operator: 'In', values: ['dev'] }] },
        {
          matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }],
          ...(maxUpdate === undefined ? {} : { maxUpdate }),
        },
      ],
    },
  },
})
const progress = async (): Promise<Record<string, string>> => {
  const set = await world.get(ApplicationSetKind, 'apps')
  const { applicationStatus = [] } = (set?.['status'] ?? {}) as {
    applicationStatus?: readonly Record<string, string>[]
  }
  return Object.fromEntries(applicationStatus.map((each) => [each['application'], `${each['step']} ${each['status']}`]))
}
const reported = async (name: string, sync: string, health: string): Promise<void> => {
  const at = new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  const status = { sync: { status: sync, revision: 'r1' }, health: { status: health }, reconciledAt: at }
  await world.change(ApplicationKind, name, { status })
}

test('a rollout goes step by step, so many at once, and each step waits until the one before is healthy', async () => {
  world = await applicationSetWorld()
  const elements = [
    { name: 'd1', env: 'dev' },
    { name: 'p1', env: 'prod' },
    { name: 'p2', env: 'prod' },
  ]
  await world.set('apps', listed(elements, rolling(1), { syncPolicy: { automated: { prune: true } } }))
  for (const { name } of elements) await reported(name, 'OutOfSync', 'Missing')
  expect(await progress()).toEqual({ d1: '1 Pending', p1: '2 Waiting', p2: '2 Waiting' })
  expect(await world.get(ApplicationKind, 'd1')).toMatchObject({
    spec: { syncPolicy: { automated: { enabled: false } } },
    operation: { sync: { prune: true }, initiatedBy: { username: 'applicationset-controller' } },
  })
  expect((await world.get(ApplicationKind, 'p1'))?.['operation']).toBeUndefined()
  expect(await world.condition('apps', 'RolloutProgressing')).toMatch(/^True .*rollout of step 1$/)
  const startedAt = new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  await world.change(ApplicationKind, 'd1', {
    operation: null,
    status: { operationState: { phase: 'Running', startedAt, operation: {} }, reconciledAt: startedAt },
  })
  expect((await progress())['d1']).toBe('1 Progressing')
  await reported('d1', 'Synced', 'Healthy')
  expect(await progress()).toEqual({ d1: '1 Healthy', p1: '2 Pending', p2: '2 Waiting' })
  await reported('p1', 'Synced', 'Healthy')
  await reported('p2', 'Synced', 'Healthy')
  await world.settle(10_000)
  expect(await world.condition('apps', 'InvalidRolloutConfig')).toMatch(/^False/)
})

test('Applications of a rollout are deleted in reverse, one after the other', async () => {
  world = await applicationSetWorld()
  await world.set(
    'apps',
    listed(
      [
        { name: 'd1', env: 'dev' },
        { name: 'p1', env: 'prod' },
      ],
      rolling(),
    ),
  )
  await world.remove(ApplicationSetKind, 'apps')
  expect((await world.get(ApplicationKind, 'p1'))?.metadata.deletionTimestamp).toBeDefined()
  expect((await world.get(ApplicationKind, 'd1'))?.metadata.deletionTimestamp).toBeUndefined()
  await world.change(ApplicationKind, 'p1', { metadata: { finalizers: null } })
  expect((await world.get(ApplicationKind, 'd1'))?.metadata.deletionTimestamp).toBeDefined()
  await world.change(ApplicationKind, 'd1', { metadata: { finalizers: null } })
  expect(await world.get(ApplicationSetKind, 'apps')).toBeUndefined()
})

test('steps that select nothing, or the same twice, are told', async () => {
  world = await applicationSetWorld()
  await world.set('apps', listed([{ name: 'd1', env: 'dev' }], rolling('x%')))
  expect(await world.condition('apps', 'InvalidRolloutConfig')).toMatch(
    /^True .*Step 2 has an invalid maxUpdate value: x%/,
  )
})

test('tokens go to the service in a header, and pages of another host are not followed', async () => {
  const asked: { url: string; headers: Readonly<Record<string, string>> }[] = []
  world = await applicationSetWorld({}, ({ url, headers }) => {
    asked.push({ url, headers })
    const pull = { number: 3, title: 't', head: { ref: 'f', sha: 's' }, base: { ref: 'm' }, user: { login: 'u' } }
    return Promise.resolve({
      status: 200,
      headers: new Map([['link', '<https://evil.example.com/next>; rel="next"']]),
      body: JSON.stringify([pull]),
    })
  })
  await world.create(
    { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced' },
    {
      metadata: { name: 'token' },
      stringData: { key: 'hidden-value' },
    },
  )
  await world.set('apps', {
    ...listed([]),
    generators: [
      {
        pullRequest: {
          github: { owner: 'o', repo: 'r', tokenRef: { secretName: 'token', key: 'key' } },
          values: { name: 'pr-{{ .number }}' },
        },
      },
    ],
    template: {
      metadata: { name: '{{ .values.name }}' },
      spec: {
        project: 'default',
        source: { repoURL: REPO, path: 'x' },
        destination: { name: 'in-cluster', namespace: 'x' },
      },
    },
  })
  expect(await world.names()).toEqual(['pr-3'])
  expect(asked.map(({ url }) => url)).toEqual(['https://api.github.com/repos/o/r/pulls?per_page=100'])
  expect(asked[0]?.headers['authorization']).toBe('Bearer hidden-value')
  expect(JSON.stringify(await world.get(ApplicationSetKind, 'apps'))).not.toContain('hidden-value')
})
