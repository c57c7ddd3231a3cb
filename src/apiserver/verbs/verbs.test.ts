import { expect, test } from 'vitest'
import { configMap, configMaps, inDefault, refusalOf, testServer, valueOf } from '../apiserver.testkit.ts'

test('a created object has what only the server knows, and reads back as it was answered', async () => {
  const { client } = await testServer()
  const made = valueOf(await client.create(inDefault, configMap('a', { x: '1' })))
  expect(made.metadata).toMatchObject({ name: 'a', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' })
  expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
  expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(0)
  expect(valueOf(await client.get({ ...inDefault, name: 'a' }))).toBe(made)
})

test('what is wrong with a write is said in the words of Kubernetes', async () => {
  const { client } = await testServer()
  const made = valueOf(await client.create(inDefault, configMap('a')))
  expect(refusalOf(await client.create(inDefault, configMap('a')))).toMatchObject({
    code: 409,
    reason: 'AlreadyExists',
    message: 'configmaps "a" already exists',
  })
  expect(refusalOf(await client.get({ ...inDefault, name: 'b' }))).toMatchObject({
    code: 404,
    message: 'configmaps "b" not found',
    details: { name: 'b', kind: 'configmaps' },
  })
  expect(refusalOf(await client.create({ ...inDefault, namespace: 'other' }, configMap('c'))).message).toBe(
    'the namespace of the provided object does not match the namespace sent on the request',
  )
  valueOf(await client.update({ ...inDefault, name: 'a' }, { ...made, data: { x: '2' } }))
  expect(refusalOf(await client.update({ ...inDefault, name: 'a' }, { ...made, data: { x: '3' } }))).toMatchObject({
    code: 409,
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  })
})

test('an update that changes nothing writes nothing', async () => {
  const { client } = await testServer()
  const made = valueOf(await client.create(inDefault, configMap('a', { x: '1' })))
  const again = valueOf(await client.update({ ...inDefault, name: 'a' }, { ...made, data: { x: '1' } }))
  expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
})

test('a dry run answers as if it had been done, and does nothing', async () => {
  const { client } = await testServer()
  const made = valueOf(await client.create(inDefault, configMap('a'), { dryRun: true }))
  expect(made.metadata.uid).toBeDefined()
  expect(refusalOf(await client.get({ ...inDefault, name: 'a' })).code).toBe(404)
})

test('a list comes in pages of one revision, whatever is written between them', async () => {
  const { client } = await testServer()
  for (const name of ['a', 'b', 'c', 'd']) valueOf(await client.create(inDefault, configMap(name)))
  const first = valueOf(await client.list(inDefault, { limit: 2 }))
  expect(first.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
  expect(first.metadata.remainingItemCount).toBe(2)
  valueOf(await client.create(inDefault, configMap('ba')))
  valueOf(await client.delete({ ...inDefault, name: 'd' }))
  const second = valueOf(await client.list(inDefault, { limit: 2, continue: first.metadata.continue ?? '' }))
  expect(second.items.map(({ metadata }) => metadata.name)).toEqual(['c', 'd'])
  expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion })
})

test('a watch with a selector sees objects come into the selection and leave it', async () => {
  const { client } = await testServer()
  const stop = new AbortController()
  const seen: string[] = []
  const start = valueOf(await client.list({ resource: configMaps }))
  const watching = (async () => {
    for await (const event of client.watch(inDefault, {
      labelSelector: 'on=yes',
      resourceVersion: start.metadata.resourceVersion ?? '',
      signal: stop.signal,
    })) {
      if (event.type === 'ERROR') throw new Error(event.object.message)
      seen.push(`${event.type} ${event.object.metadata.name}`)
      if (seen.length === 4) stop.abort()
    }
  })()
  const made = valueOf(await client.create(inDefault, configMap('a', {}, { labels: { on: 'no' } })))
  const with_ = (labels: Record<string, string>, data = {}) => ({
    ...made,
    data,
    metadata: { ...made.metadata, resourceVersion: '', labels },
  })
  valueOf(await client.update({ ...inDefault, name: 'a' }, with_({ on: 'yes' })))
  valueOf(await client.update({ ...inDefault, name: 'a' }, with_({ on: 'yes' }, { x: '1' })))
  valueOf(await client.update({ ...inDefault, name: 'a' }, with_({ on: 'no' })))
  valueOf(await client.update({ ...inDefault, name: 'a' }, with_({ on: 'yes' })))
  await watching
  expect(seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED a'])
})

test('finalizers keep a deleted object until the last one is gone', async () => {
  const { client } = await testServer()
  const made = valueOf(await client.create(inDefault, configMap('a', {}, { finalizers: ['example.com/x'] })))
  expect(valueOf(await client.delete({ ...inDefault, name: 'a' }))).toMatchObject({
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  })
  const { finalizers: _gone, ...metadata } = made.metadata
  valueOf(await client.update({ ...inDefault, name: 'a' }, { ...made, metadata: { ...metadata, resourceVersion: '' } }))
  expect(refusalOf(await client.get({ ...inDefault, name: 'a' })).code).toBe(404)
})

test('many who patch one object at once are all heard, without any of them trying again', async () => {
  const { client } = await testServer()
  valueOf(await client.create(inDefault, configMap('a')))
  const outcomes = await Promise.all(
    Array.from({ length: 25 }, (_, at) =>
      client.patch({ ...inDefault, name: 'a' }, { type: 'merge', body: { data: { [`k${at}`]: 'x' } } }),
    ),
  )
  outcomes.forEach(valueOf)
  expect(Object.keys(valueOf(await client.get({ ...inDefault, name: 'a' }))['data'] as object)).toHaveLength(25)
})

test('names are generated, and generated anew where they are taken', async () => {
  const { client } = await testServer()
  const { name: _name, ...metadata } = configMap('x').metadata
  const made = await Promise.all(
    Array.from({ length: 20 }, () =>
      client.create(inDefault, { ...configMap('x'), metadata: { ...metadata, generateName: 'job-' } }),
    ),
  )
  const names = made.map((one) => valueOf(one).metadata.name)
  expect(new Set(names).size).toBe(20)
  expect(names[0]).toMatch(/^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
})

test('server-side apply creates, owns, conflicts, is forced, and takes away what it no longer says', async () => {
  const { client } = await testServer()
  const target = { ...inDefault, name: 'a' }
  const apply = (data: Record<string, string>, fieldManager: string, force = false) =>
    client.patch(
      target,
      { type: 'apply', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data } },
      { fieldManager, force },
    )
  const made = valueOf(await apply({ x: '1', y: '1' }, 'one'))
  expect(made.metadata.managedFields).toMatchObject([{ manager: 'one', operation: 'Apply', apiVersion: 'v1' }])
  const clash = refusalOf(await apply({ x: '2' }, 'two'))
  expect(clash).toMatchObject({
    code: 409,
    reason: 'Conflict',
    details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.x' }] },
  })
  expect(valueOf(await apply({ x: '2' }, 'two', true))['data']).toEqual({ x: '2', y: '1' })
  const unchanged = valueOf(await apply({ x: '2' }, 'two'))
  expect(valueOf(await apply({ x: '2' }, 'two')).metadata.resourceVersion).toBe(unchanged.metadata.resourceVersion)
  expect(valueOf(await apply({}, 'one'))['data']).toEqual({ x: '2' })
  expect(refusalOf(await client.patch(target, { type: 'apply', body: {} }, {})).message).toContain('fieldManager')
})

test('an update writes down who changed what', async () => {
  const { client, clock } = await testServer()
  const made = valueOf(await client.create(inDefault, configMap('a', { x: '1' }), { fieldManager: 'maker' }))
  await clock.advance(1_000)
  const changed = valueOf(
    await client.update(
      { ...inDefault, name: 'a' },
      { ...made, data: { x: '1', y: '2' } },
      { fieldManager: 'changer' },
    ),
  )
  expect(changed.metadata.managedFields).toMatchObject([
    { manager: 'maker', operation: 'Update', fieldsV1: { 'f:data': { 'f:x': {} } } },
    { manager: 'changer', operation: 'Update', fieldsV1: { 'f:data': { 'f:y': {} } } },
  ])
})
