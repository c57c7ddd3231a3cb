import { describe, expect, test } from 'vitest'
import {
  type ClientUnderTest,
  clustersOf,
  configMap,
  configMaps,
  bad,
  deployment,
  deployments,
  good,
  here,
  maps,
  named,
  namesIn,
} from './client-contract.testkit.ts'
import { clientWatchContract } from './client-watch.contract.ts'
import type { KubeObject } from './object.ts'
import type { ApiResult } from './status.ts'

/** What every client promises, whatever lies between it and the server. */
export function clientContract(name: string, make: () => Promise<ClientUnderTest>): void {
  const { start, withMaps } = clustersOf(make)
  clientWatchContract(name, make)

  describe(`${name}: objects`, () => {
    test('what is created comes back, named, dated and versioned; a second one of that name is refused', async () => {
      const { client } = await start()
      const created = good(await client.create(maps, configMap('a', { key: 'value' })))
      expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { key: 'value' } })
      expect(created.metadata).toMatchObject({
        name: 'a',
        namespace: 'default',
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        resourceVersion: expect.stringMatching(/^\d+$/) as string,
        creationTimestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      })
      expect(good(await client.get(named('a')))).toEqual(created)
      expect(bad(await client.create(maps, configMap('a')))).toMatchObject({
        kind: 'Status',
        status: 'Failure',
        reason: 'AlreadyExists',
        code: 409,
        details: { name: 'a', kind: 'configmaps' },
      })
    })

    test('a name is made from generateName', async () => {
      const { client } = await start()
      const made = good(await client.create(maps, configMap('', {}, { name: undefined, generateName: 'job-' })))
      expect(made.metadata.name).toMatch(/^job-[a-z0-9]{5}$/)
    })

    test.each([
      ['an object', named('absent')],
      ['a collection', named('x', { resource: { ...configMaps, plural: 'nonsense' }, namespace: 'default' })],
      ['a version', named('x', { resource: { ...configMaps, group: 'apps', version: 'v7' }, namespace: 'default' })],
    ])('%s that is not there is NotFound', async (_what, target) => {
      const { client } = await start()
      expect(bad(await client.get(target))).toMatchObject({ reason: 'NotFound', code: 404 })
    })

    test('what cannot be right is refused with the field', async () => {
      const { client } = await start()
      const status = bad(await client.create(maps, configMap('Not_A_Name')))
      expect(status).toMatchObject({ reason: 'Invalid', code: 422, details: { causes: [{ field: 'metadata.name' }] } })
      expect(bad(await client.create(maps, { ...configMap('a'), kind: 'Secret' }))).toMatchObject({ code: 400 })
    })

    test('names of any shape stay in their place', async () => {
      const { client } = await start()
      const role = { resource: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles' } }
      const object = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'a:b%2f?x' },
        rules: [],
      }
      const outcome = await client.create(role, object)
      // Either it is kept and found under exactly that name, or refused for it.
      const found = outcome.ok ? good(await client.get({ ...role, name: 'a:b%2f?x' })).metadata.name : 'a:b%2f?x'
      expect(found).toBe('a:b%2f?x')
      const odd = await client.get(named('../secrets')).catch((error: unknown) => error)
      expect(odd instanceof Error || (odd as ApiResult<unknown>).ok === false).toBe(true)
    })

    test('dry run answers what would be and keeps nothing', async () => {
      const { client, made } = await withMaps('a')
      expect(good(await client.create(maps, configMap('b'), { dryRun: true })).metadata.uid).toBeDefined()
      expect(good(await client.update(named('a'), configMap('a', { n: '2' }), { dryRun: true }))['data']).toEqual({
        n: '2',
      })
      await client.delete(named('a'), { dryRun: true })
      expect(good(await client.get(named('a')))).toEqual(made[0])
      expect((await client.get(named('b'))).ok).toBe(false)
    })
  })

  describe(`${name}: updates`, () => {
    test('an update at the version that was read wins, and the next at that version is a conflict', async () => {
      const { client, made } = await withMaps('a')
      const first = made[0]!
      const second = good(await client.update(named('a'), { ...first, data: { n: '2' } }))
      expect(second.metadata.uid).toBe(first.metadata.uid)
      expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion)
      expect(bad(await client.update(named('a'), { ...first, data: { n: '3' } }))).toMatchObject({
        reason: 'Conflict',
        code: 409,
      })
      expect(good(await client.update(named('a'), configMap('a', { n: '4' })))['data']).toEqual({ n: '4' })
    })

    test('an update of what is not there is NotFound, one of another name a bad request', async () => {
      const { client } = await withMaps('a')
      expect(bad(await client.update(named('b'), configMap('b')))).toMatchObject({ reason: 'NotFound' })
      expect(bad(await client.update(named('a'), configMap('b')))).toMatchObject({ code: 400 })
    })

    test('the status and the rest of an object are written apart', async () => {
      const { client } = await start()
      const made = good(await client.create(deployments, deployment('web')))
      const target = named('web', deployments)
      const status = { ...made, spec: { ...(made['spec'] as object), replicas: 9 }, status: { replicas: 4 } }
      const after = good(await client.update({ ...target, subresource: 'status' }, status))
      expect(after).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 4 } })
      const spec = { ...after, spec: { ...(made['spec'] as object), replicas: 3 }, status: { replicas: 8 } }
      const last = good(await client.update(target, spec))
      expect(last).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 4 }, metadata: { generation: 2 } })
    })
  })

  describe(`${name}: patches`, () => {
    test('JSON patch, with a test that must hold', async () => {
      const { client } = await withMaps('a')
      const body = [
        { op: 'test', path: '/data/n', value: '1' },
        { op: 'replace', path: '/data/n', value: '2' },
      ]
      expect(good(await client.patch(named('a'), { type: 'json', body }))['data']).toEqual({ n: '2' })
      expect(bad(await client.patch(named('a'), { type: 'json', body })).code).toBeGreaterThanOrEqual(400)
    })

    test('merge patch, where null removes', async () => {
      const { client } = await withMaps('a')
      const body = { data: { n: null, m: '2' } }
      expect(good(await client.patch(named('a'), { type: 'merge', body }))['data']).toEqual({ m: '2' })
    })

    test('a patch at a version that is gone is a conflict', async () => {
      const { client, made } = await withMaps('a')
      const { resourceVersion } = made[0]!.metadata
      good(await client.update(named('a'), configMap('a', { n: '2' })))
      const body = { metadata: { resourceVersion: resourceVersion ?? '' }, data: { n: '3' } }
      expect(bad(await client.patch(named('a'), { type: 'merge', body }))).toMatchObject({ reason: 'Conflict' })
    })

    test('strategic merge patch, where list elements merge by their key', async () => {
      const { client } = await start()
      good(await client.create(deployments, deployment('web')))
      const containers = [{ name: 'side', image: 'side:2' }]
      const body = { spec: { template: { spec: { containers } } } }
      const patched = good(await client.patch(named('web', deployments), { type: 'strategic', body }))
      expect(patched).toMatchObject({
        spec: {
          template: {
            spec: {
              containers: expect.arrayContaining([
                expect.objectContaining({ name: 'web', image: 'web:1' }),
                expect.objectContaining({ name: 'side', image: 'side:2' }),
              ]) as object,
            },
          },
        },
      })
    })

    test('apply creates, owns its fields, refuses to take over those of others, and does so when forced', async () => {
      const { client } = await start()
      const apply = (data: Record<string, string>) => ({ type: 'apply', body: configMap('a', data) }) as const
      good(await client.patch(named('a'), apply({ shared: '1', mine: '1' }), { fieldManager: 'one' }))
      const conflict = bad(await client.patch(named('a'), apply({ shared: '2' }), { fieldManager: 'two' }))
      expect(conflict).toMatchObject({
        reason: 'Conflict',
        code: 409,
        details: { causes: [{ field: '.data.shared' }] },
      })
      const forced = await client.patch(named('a'), apply({ shared: '2' }), { fieldManager: 'two', force: true })
      expect(good(forced)['data']).toEqual({ shared: '2', mine: '1' })
      const removed = good(await client.patch(named('a'), apply({}), { fieldManager: 'one' }))
      expect(removed['data']).toEqual({ shared: '2' })
      expect(removed.metadata.managedFields?.map(({ manager }) => manager)).toEqual(expect.arrayContaining(['two']))
    })
  })

  describe(`${name}: deletions`, () => {
    test('a deleted object is gone, and deleting it again is NotFound', async () => {
      const { client } = await withMaps('a')
      expect((await client.delete(named('a'))).ok).toBe(true)
      expect(bad(await client.get(named('a')))).toMatchObject({ reason: 'NotFound' })
      expect(bad(await client.delete(named('a')))).toMatchObject({ reason: 'NotFound' })
    })

    test('an object with finalizers stays until they are gone', async () => {
      const { client } = await start()
      good(await client.create(maps, configMap('a', {}, { finalizers: ['example.com/wait'] })))
      const waiting = good(await client.delete(named('a'))) as KubeObject
      expect(waiting.metadata.deletionTimestamp).toBeDefined()
      const found = good(await client.get(named('a')))
      expect(found.metadata.deletionTimestamp).toBeDefined()
      const { finalizers: _gone, ...metadata } = found.metadata
      good(await client.update(named('a'), { ...found, metadata }))
      expect((await client.get(named('a'))).ok).toBe(false)
    })

    test('preconditions must hold', async () => {
      const { client, made } = await withMaps('a')
      const { uid, resourceVersion } = made[0]!.metadata
      const other = '00000000-0000-4000-a000-000000000000'
      expect(bad(await client.delete(named('a'), { preconditions: { uid: other } }))).toMatchObject({
        reason: 'Conflict',
      })
      expect(bad(await client.delete(named('a'), { preconditions: { resourceVersion: '1' } }))).toMatchObject({
        code: 409,
      })
      const right = { uid: uid ?? '', resourceVersion: resourceVersion ?? '' }
      expect((await client.delete(named('a'), { preconditions: right })).ok).toBe(true)
    })

    test('a collection is deleted by its labels', async () => {
      const { client } = await withMaps('a', 'b', 'c')
      expect((await client.deleteCollection(maps, { labelSelector: 'name in (a,c)' })).ok).toBe(true)
      expect(namesIn(good(await client.list(maps, here)))).toEqual(['b'])
    })
  })

  describe(`${name}: lists`, () => {
    test('a list has whole objects, in one namespace or in all, and says at which version', async () => {
      const { client, made } = await withMaps('b', 'a')
      const other = { ...maps, namespace: 'kube-system' }
      good(await client.create(other, configMap('z', {}, { namespace: 'kube-system', labels: { made: 'here' } })))
      const list = good(await client.list(maps, here))
      expect(list).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMapList' })
      expect(list.metadata.resourceVersion).toMatch(/^\d+$/)
      expect(list.items).toEqual([made[1], made[0]])
      expect(namesIn(good(await client.list({ resource: configMaps }, here)))).toEqual(['a', 'b', 'z'])
      expect(good(await client.list(maps, { labelSelector: 'made=nowhere' })).items).toEqual([])
    })

    test.each([
      [{ labelSelector: 'name=a' }, ['a']],
      [{ labelSelector: 'name!=a,made' }, ['b', 'c']],
      [{ labelSelector: 'made,name notin (a, b)' }, ['c']],
      [{ fieldSelector: 'metadata.name=b' }, ['b']],
      [{ ...here, fieldSelector: 'metadata.name!=b,metadata.namespace=default' }, ['a', 'c']],
    ])('%j selects %j', async (options, names) => {
      const { client } = await withMaps('a', 'b', 'c')
      expect(namesIn(good(await client.list(maps, options)))).toEqual(names)
    })

    test('a selector that cannot be read is a bad request', async () => {
      const { client } = await start()
      expect(bad(await client.list(maps, { labelSelector: 'a in (' }))).toMatchObject({
        reason: 'BadRequest',
        code: 400,
      })
      expect(bad(await client.list(maps, { fieldSelector: 'data.x=1' }))).toMatchObject({ code: 400 })
    })

    test('pages are one picture of the collection, whatever is written between them', async () => {
      const { client } = await withMaps('a', 'b', 'c', 'd', 'e')
      const first = good(await client.list(maps, { ...here, limit: 2 }))
      expect(namesIn(first)).toEqual(['a', 'b'])
      expect(first.metadata.continue).toBeTruthy()
      good(await client.create(maps, configMap('bb', {}, { labels: { made: 'here' } })))
      good(await client.delete(named('d')))
      const second = good(await client.list(maps, { ...here, limit: 2, continue: first.metadata.continue ?? '' }))
      const third = good(await client.list(maps, { ...here, limit: 2, continue: second.metadata.continue ?? '' }))
      expect([...namesIn(second), ...namesIn(third)]).toEqual(['c', 'd', 'e'])
      expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
      expect(third.metadata.continue ?? '').toBe('')
    })

    test('the version of an older list can be asked for again, until it is forgotten', async () => {
      const { client, forgetHistory } = await withMaps('a')
      const resourceVersion = good(await client.list(maps, here)).metadata.resourceVersion ?? ''
      good(await client.create(maps, configMap('b', {}, { labels: { made: 'here' } })))
      const exact = { ...here, resourceVersion, resourceVersionMatch: 'Exact' } as const
      expect(namesIn(good(await client.list(maps, exact)))).toEqual(['a'])
      expect(
        namesIn(good(await client.list(maps, { ...here, resourceVersion, resourceVersionMatch: 'NotOlderThan' }))),
      ).toEqual(['a', 'b'])
      await forgetHistory()
      expect(bad(await client.list(maps, exact))).toMatchObject({ reason: 'Expired', code: 410 })
    })
  })

  describe(`${name}: the rest`, () => {
    test('discovery names every resource with what can be done with it', async () => {
      const { client } = await start()
      const found = good(await client.discover())
      const one = (plural: string, subresource?: string) =>
        found.find((info) => info.plural === plural && info.subresource === subresource)
      expect(one('deployments')).toMatchObject({
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        singular: 'deployment',
        namespaced: true,
        shortNames: ['deploy'],
        categories: ['all'],
        verbs: expect.arrayContaining(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']) as string[],
      })
      expect(one('deployments', 'status')).toMatchObject({ group: 'apps', kind: 'Deployment' })
      expect(one('deployments', 'scale')).toMatchObject({ kind: 'Scale' })
      expect(one('namespaces')).toMatchObject({ group: '', namespaced: false, shortNames: ['ns'] })
    })

    test('a call that is given up is thrown with the reason', async () => {
      const { client } = await start()
      const signal = AbortSignal.abort(new Error('enough'))
      await expect(client.list(maps, { signal })).rejects.toThrow('enough')
    })
  })
}
