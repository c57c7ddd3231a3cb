import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { valueOf } from '../../apiserver/apiserver.testkit.ts'
import type { AdmissionPlugin } from '../../kube/admission.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Application } from './application.ts'
import { application, automated, configMap, gitOpsWorld, type GitOpsWorld } from './applications.testkit.ts'

// What an Application sees of a real API server: nothing that the server does by itself is drift.

let world: GitOpsWorld
beforeEach(async () => {
  world = await gitOpsWorld()
})
afterEach(() => world.close())

const isSynced = ({ status }: Application): boolean =>
  status?.sync?.status === 'Synced' && status.operationState?.phase === 'Succeeded'

const syncing = (...options: readonly string[]): Readonly<Record<string, unknown>> => ({
  syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true', ...options] },
})

const read = parseYamlDocuments(
  readFileSync(join(import.meta.dirname, '..', 'compare', 'testdata', 'kinds.yaml'), 'utf8'),
)
if (!read.ok) throw new Error(JSON.stringify(read.error))
/** An autoscaler has one identity in both its versions; Endpoints and slices are the usual exclusions. */
const manifests = read.value.flatMap(({ value }): readonly KubeObject[] => {
  if (value === null) return []
  const object = value as KubeObject // the file holds manifests
  return ['Endpoints', 'EndpointSlice', 'Lease'].includes(object.kind) ? [] : [object]
})

/** How many writes there have been: what is at rest makes none. */
async function revision(): Promise<string | undefined> {
  const listed = await world.client.list({ resource: { group: '', version: 'v1', plural: 'configmaps' } })
  return valueOf(listed).metadata.resourceVersion
}

describe.each([
  ['client-side', []],
  ['server-side', ['ServerSideApply=true']],
])('with %s apply', (_name, options) => {
  test('every kind is Synced once it is there, and nothing is written again', async () => {
    world.commit('rev1', manifests)
    await world.create(application(syncing(...options)))
    const app = await world.until(isSynced)
    const out = app.status?.resources?.filter(({ status }) => status !== 'Synced') ?? []
    expect(out).toEqual([])
    expect(app.status?.resources).toHaveLength(manifests.length)
    const before = await revision()
    await world.client.patch(
      {
        resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
        namespace: 'argocd',
        name: 'shop',
      },
      { type: 'merge', body: { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } } },
    )
    await world.until(({ metadata }) => metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined)
    const after = await world.until(isSynced)
    expect(after.status?.history).toHaveLength(1)
    expect(Number(await revision()) - Number(before)).toBeLessThanOrEqual(3)
  }, 30_000)
})

/** A policy that has the last word on one field of every ConfigMap. */
const forced: AdmissionPlugin = {
  name: 'forced',
  handles: ({ resource, operation }) => resource.plural === 'configmaps' && operation !== 'DELETE',
  mutate: ({ object }) =>
    Promise.resolve(
      object
        ? { allowed: true, object: { ...object, data: { ...(object['data'] as object), mode: 'safe' } } }
        : { allowed: true },
    ),
}

test.each([
  ['client-side', []],
  ['server-side', ['ServerSideApply=true']],
])('what a policy makes of an object is no drift, also where it overrules Git: %s', async (_name, options) => {
  await world.close()
  world = await gitOpsWorld({ admission: () => [forced] })
  world.commit('rev1', [configMap('a', { mode: 'fast', x: '1' })])
  await world.create(application(syncing(...options)))
  const app = await world.until(isSynced)
  expect(app.status?.resources).toMatchObject([{ name: 'a', status: 'Synced' }])
  // What is drift is still put right.
  const target = { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'shop', name: 'a' }
  valueOf(await world.client.patch(target, { type: 'merge', body: { data: { x: '2' } } }))
  await world.eventually(async () => {
    const { data } = valueOf(await world.client.get(target))
    return (data as Readonly<Record<string, string>>)['x'] === '1' ? true : undefined
  })
  expect((await world.until(isSynced)).status?.history?.length).toBeLessThanOrEqual(2)
})

test("the settings' checks in Lua judge", async () => {
  await world.create({
    ...configMap('argocd-cm', {
      'resource.customizations.health.ConfigMap':
        "if obj.data.ready == 'yes' then return {status = 'Healthy'} end return {status = 'Degraded', message = 'not ready'}",
    }),
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
  })
  world.commit('rev1', [configMap('a', { ready: 'no' })])
  await world.create(application(automated))
  const app = await world.until(({ status }) => status?.health?.status === 'Degraded')
  expect(app.status?.health?.message).toBe('because of ConfigMap shop/a (not ready)')
  world.commit('rev2', [configMap('a', { ready: 'yes' })])
  await world.until(({ status }) => status?.health?.status === 'Healthy')
})

test('links and orphans are told', async () => {
  await world.create({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      orphanedResources: { warn: true, ignore: [{ kind: 'ConfigMap', name: 'known-*' }] },
    },
  })
  world.commit('rev1', [
    configMap('a', {}, { annotations: { 'link.argocd.argoproj.io/docs': 'https://docs.example' } }),
  ])
  await world.create(application({ ...automated, project: 'shop' }))
  const app = await world.until(isSynced)
  expect(app.status?.summary?.externalURLs).toEqual(['https://docs.example'])
  for (const name of ['lost', 'known-1'])
    await world.create({ ...configMap(name), metadata: { name, namespace: 'shop' } })
  world.commit('rev2', [configMap('b')])
  const warned = await world.until(({ status }) => (status?.conditions ?? []).length > 0)
  expect(warned.status?.conditions).toMatchObject([
    { type: 'OrphanedResourceWarning', message: 'Application has 1 orphaned resources' },
  ])
})
