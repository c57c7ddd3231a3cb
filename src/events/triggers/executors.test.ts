import { expect, test } from 'vitest'
import { explain, type Result } from '../../lib/result.ts'
import { allowing, triggersWorld } from './triggers-world.testkit.ts'

const told = (result: Result<unknown>): string => (result.ok ? 'fired' : result.error.map(explain).join('\n'))

const configMaps = (...verbs: readonly string[]): string =>
  allowing(`{apiGroups: [""], resources: [configmaps], verbs: [${verbs.join(', ')}]}`)

const map = (metadata: object, data: object = {}): object => ({
  resource: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
})

test('an object is created once for a firing, marked, with values of the event', async () => {
  const world = await triggersWorld([])
  await world.apply(configMaps('create', 'get'))
  const parameters = [
    { src: { dependencyName: 'push', dataKey: 'app' }, dest: 'data.app' },
    {
      src: { dependencyName: 'push', dataTemplate: '-{{ .Input.app | upper }}' },
      dest: 'data.note',
      operation: 'append',
    },
  ]
  const k8s = { operation: 'create', source: map({ generateName: 'seen-' }, { note: 'of' }), parameters }
  const first = await world.fire({ k8s }, { app: 'web' })
  expect(told(first)).toBe('fired')
  expect(await world.fire({ k8s }, { app: 'web' })).toMatchObject({
    ok: true,
    value: { because: expect.stringContaining('had created ConfigMap events/seen-') as unknown },
  })
  expect(told(await world.fire({ k8s }, { app: 'web' }, { fireId: 'f2' }))).toBe('fired')
  const made = await world.list('v1', 'configmaps')
  expect(made).toHaveLength(2)
  expect(first).toMatchObject({ value: { object: { namespace: 'events', kind: 'ConfigMap' } } })
  for (const { metadata, ...rest } of made) {
    expect(metadata.name).toMatch(/^seen-[bcdfghjklmnpqrstvwxz2456789]{10}$/)
    expect(metadata.labels).toMatchObject({
      'events.argoproj.io/sensor': 'deploy',
      'events.argoproj.io/trigger': 'act',
    })
    expect(rest['data']).toEqual({ app: 'web', note: 'of-WEB' })
  }
})

test('an object of the same name that somebody else made is not taken for ours', async () => {
  const world = await triggersWorld([])
  await world.apply(`${configMaps('create', 'get')}---
apiVersion: v1
kind: ConfigMap
metadata: { name: seen, namespace: events }
`)
  expect(told(await world.fire({ k8s: { source: map({ name: 'seen' }) } }, {}))).toContain('already exists')
})

test.each([
  ['create', {}, 'create', 'create configmaps in namespace events'],
  ['update', { name: 'a' }, 'get', 'update configmaps in namespace events'],
  ['patch', { name: 'a' }, 'get', 'patch configmaps in namespace events'],
  ['delete', { name: 'a' }, 'get', 'delete configmaps in namespace events'],
])('to %s, a right that is missing is spelled out', async (operation, metadata, _, missing) => {
  const world = await triggersWorld([])
  await world.apply(`${configMaps('get')}---
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: events }
`)
  const fired = await world.fire({ k8s: { operation, source: map({ generateName: 'x-', ...metadata }) } }, {})
  expect(told(fired)).toContain(`ServiceAccount events/operator may not ${missing}`)
  expect(told(fired)).toContain(`verbs: ["${operation}"]`)
})

test('an update merges over what is there, a patch changes parts, a delete of nothing is done', async () => {
  const world = await triggersWorld([])
  await world.apply(`${configMaps('get', 'create', 'update', 'patch', 'delete')}---
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: events, labels: { keep: "yes" } }
data: { one: "1", two: "2" }
`)
  const fire = (operation: string, data: object, name: string = 'a', more: object = {}): Promise<unknown> =>
    world.fire({ k8s: { operation, source: map({ name, namespace: 'events' }, data), ...more } }, { v: 'event' })
  expect(await fire('update', { two: '', three: '3' })).toMatchObject({
    ok: true,
    value: { because: 'updated ConfigMap events/a' },
  })
  expect((await world.get('v1', 'configmaps', 'a'))?.['data']).toEqual({ one: '1', two: '', three: '3' })
  expect(await fire('patch', { one: null })).toMatchObject({ ok: true })
  const after = await world.get('v1', 'configmaps', 'a')
  expect(after?.['data']).toEqual({ two: '', three: '3' })
  expect(after?.metadata.labels).toEqual({ keep: 'yes' })
  const live = {
    liveObject: true,
    parameters: [{ src: { dependencyName: 'push', dataKey: 'v' }, dest: 'data.three', operation: 'append' }],
  }
  expect(await fire('update', {}, 'a', live)).toMatchObject({ ok: true })
  expect((await world.get('v1', 'configmaps', 'a'))?.['data']).toEqual({ two: '', three: '3event' })
  expect(await fire('update', { new: '1' }, 'b')).toMatchObject({
    ok: true,
    value: { because: 'created ConfigMap events/b' },
  })
  expect(await fire('delete', {}, 'a')).toMatchObject({ ok: true, value: { because: 'deleted ConfigMap events/a' } })
  expect(await fire('delete', {}, 'a')).toMatchObject({
    ok: true,
    value: { because: 'there is no ConfigMap events/a to delete' },
  })
})

test('an object may come from a text or from a ConfigMap of the namespace', async () => {
  const world = await triggersWorld([])
  await world.apply(`${configMaps('create')}---
apiVersion: v1
kind: ConfigMap
metadata: { name: kept, namespace: events }
data:
  map.yaml: "{apiVersion: v1, kind: ConfigMap, metadata: {name: from-map}}"
`)
  const inline = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-text}\n'
  expect(told(await world.fire({ k8s: { source: { inline } } }, {}))).toBe('fired')
  expect(told(await world.fire({ k8s: { source: { configmap: { name: 'kept', key: 'map.yaml' } } } }, {}))).toBe(
    'fired',
  )
  expect(told(await world.fire({ k8s: { source: { configmap: { name: 'kept', key: 'no' } } } }, {}))).toContain(
    'has no key "no"',
  )
  world.answer = () => ({ body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"from-url"}}' })
  expect(told(await world.fire({ k8s: { source: { url: { path: 'https://files.example.com/map' } } } }, {}))).toBe(
    'fired',
  )
  const names = (await world.list('v1', 'configmaps')).map(({ metadata }) => metadata.name)
  expect(names).toEqual(expect.arrayContaining(['from-text', 'from-map', 'from-url']))
})

test.each<readonly [string, object, string]>([
  [
    'a kind that is not served',
    { source: { resource: { apiVersion: 'x.io/v1', kind: 'Y', metadata: { name: 'a' } } } },
    'serves no Y of x.io/v1',
  ],
  ['no source', {}, 'no source'],
  ['two sources', { source: { inline: 'a', resource: {} } }, 'a source has one of'],
  [
    'a source that is not read',
    { source: { git: { url: 'https://example.com/x' } } },
    'sources of the form git are not read',
  ],
  [
    'an operation that there is not',
    { operation: 'apply', source: map({ name: 'a' }) },
    'use one of create, update, patch, delete',
  ],
  [
    'a JSON patch',
    { operation: 'patch', patchStrategy: 'application/json-patch+json', source: map({ name: 'a' }) },
    'a list of steps',
  ],
  ['no name', { operation: 'patch', source: map({}) }, 'has no name'],
  [
    'a parameter without a source',
    { source: map({ name: 'a' }), parameters: [{ dest: 'data.a' }] },
    'a parameter needs src',
  ],
  [
    'metadata that an event replaces',
    {
      source: map({ name: 'a' }),
      parameters: [{ src: { dependencyName: 'push', dataKey: 'text' }, dest: 'metadata' }],
    },
    'metadata must be an object',
  ],
])('%s is told', async (_, k8s, message) => {
  const world = await triggersWorld([])
  await world.apply(configMaps('create', 'get', 'patch'))
  expect(told(await world.fire({ k8s }, { text: 'x' }))).toContain(message)
})

test('an event cannot take the object elsewhere than its account may write', async () => {
  const world = await triggersWorld([])
  await world.apply(configMaps('create'))
  const parameters = [{ src: { dependencyName: 'push', dataKey: 'where' }, dest: 'metadata.namespace' }]
  const fired = await world.fire({ k8s: { source: map({ name: 'a' }), parameters } }, { where: 'kube-system' })
  expect(told(fired)).toContain('may not create configmaps in namespace kube-system')
})

test('a log trigger logs events, at most once an interval', async () => {
  const world = await triggersWorld([])
  const fire = async (): Promise<void> => void (await world.fire({ log: { intervalSeconds: 60 } }, { a: 1 }))
  await fire()
  await fire()
  expect(world.logged).toHaveLength(1)
  expect(world.logged[0]?.fields).toMatchObject({ dependency: 'push', data: '{"a":1}' })
  await world.clock.advance(61_000)
  await fire()
  expect(world.logged).toHaveLength(2)
})

test.each(['kafka', 'email', 'awsLambda', 'custom'])(
  'a %s trigger is refused before anything happens',
  async (kind) => {
    const world = await triggersWorld([])
    expect(told(await world.fire({ [kind]: {} }, {}))).toContain('not supported yet')
    expect(world.triggers.check(kind, { name: 'act', [kind]: {} })).toMatchObject([{ code: 'trigger-unsupported' }])
  },
)
