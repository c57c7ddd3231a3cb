import { expect, test } from 'vitest'
import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds, packedProjects } from '../../kube/schema/packed-crds.ts'
import { readData } from '../../lib/data-file.ts'
import { refusalOf, testServer, valueOf } from '../apiserver.testkit.ts'

const definitions = {
  resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
}
const widgets = { resource: { group: 'example.com', version: 'v1', plural: 'widgets' }, namespace: 'default' }

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1 },
        color: { type: 'string', default: 'red' },
        replicas: { type: 'integer' },
      },
    },
    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
}

function definition(changes: object = {}, version: object = {}): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
          },
          selectableFields: [{ jsonPath: '.spec.color' }],
          ...version,
        },
      ],
      ...changes,
    },
  }
}

const widget = (name: string, spec: object): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
})

async function defined(client: Client, object: KubeObject = definition()): Promise<KubeObject> {
  return valueOf(await client.create(definitions, object))
}

test('a definition is established by its creation, and its kind can be used at once', async () => {
  const { client } = await testServer()
  const made = await defined(client)
  expect(made['status']).toMatchObject({
    acceptedNames: {
      plural: 'widgets',
      singular: 'widget',
      kind: 'Widget',
      listKind: 'WidgetList',
      shortNames: ['wd'],
    },
    storedVersions: ['v1'],
    conditions: [
      { type: 'NamesAccepted', status: 'True' },
      { type: 'Established', status: 'True' },
    ],
  })
  const one = valueOf(await client.create(widgets, { ...widget('a', { size: 1, unknown: true }), status: { x: 1 } }))
  expect(one['spec']).toEqual({ size: 1, color: 'red' })
  expect(one['status']).toBeUndefined()
  expect(one.metadata.generation).toBe(1)
})

test('a custom resource is held to its schema', async () => {
  const { client } = await testServer()
  await defined(client)
  const refusal = refusalOf(await client.create(widgets, widget('a', { size: 0 })))
  expect(refusal).toMatchObject({ code: 422, details: { group: 'example.com', kind: 'Widget' } })
  expect(refusal.message).toMatch(
    /^Widget\.example\.com "a" is invalid: spec\.size: Invalid value: 0: spec\.size in body should be greater than or equal to 1/,
  )
  const strict = await client.create(widgets, widget('a', { size: 1, x: 1 }), { fieldValidation: 'Strict' })
  expect(refusalOf(strict).message).toBe('strict decoding error: unknown field "spec.x"')
})

test('status and scale have doors of their own', async () => {
  const { client } = await testServer()
  await defined(client)
  const one = valueOf(await client.create(widgets, widget('a', { size: 1, replicas: 2 })))
  const target = { ...widgets, name: 'a' }
  const status = valueOf(
    await client.update({ ...target, subresource: 'status' }, { ...one, spec: { size: 9 }, status: { replicas: 1 } }),
  )
  expect(status).toMatchObject({ spec: { size: 1 }, status: { replicas: 1 }, metadata: { generation: 1 } })
  const scale = valueOf(await client.get({ ...target, subresource: 'scale' }))
  expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 1 } })
  valueOf(await client.patch({ ...target, subresource: 'scale' }, { type: 'merge', body: { spec: { replicas: 5 } } }))
  expect(valueOf(await client.get(target))).toMatchObject({ spec: { replicas: 5 }, metadata: { generation: 2 } })
})

test('rules of a definition hold for its objects, and rules that cannot hold are refused with it', async () => {
  const { client } = await testServer()
  const ruled = (rule: string) => ({
    schema: {
      openAPIV3Schema: {
        ...schema,
        'x-kubernetes-validations': [{ rule, message: 'no bigger than ten' }],
      },
    },
  })
  const bad = refusalOf(await client.create(definitions, definition({}, ruled('self.spec.nothing > 1'))))
  expect(bad.details?.causes?.[0]?.field).toContain('x-kubernetes-validations[0].rule')
  await defined(client, definition({}, ruled('self.spec.size <= 10')))
  valueOf(await client.create(widgets, widget('a', { size: 10 })))
  expect(refusalOf(await client.create(widgets, widget('b', { size: 11 }))).message).toContain('no bigger than ten')
})

test('selectable fields select', async () => {
  const { client } = await testServer()
  await defined(client)
  valueOf(await client.create(widgets, widget('a', { size: 1 })))
  valueOf(await client.create(widgets, widget('b', { size: 1, color: 'blue' })))
  const blue = valueOf(await client.list(widgets, { fieldSelector: 'spec.color=blue' }))
  expect(blue.items.map(({ metadata }) => metadata.name)).toEqual(['b'])
  expect(refusalOf(await client.list(widgets, { fieldSelector: 'spec.size=1' })).code).toBe(400)
})

test('another definition cannot take names of the same group', async () => {
  const { client } = await testServer()
  await defined(client)
  const other = definition({ names: { plural: 'gadgets', kind: 'Widget' } })
  const made = await defined(client, { ...other, metadata: { name: 'gadgets.example.com' } })
  expect(made['status']).toMatchObject({
    conditions: [
      { type: 'NamesAccepted', status: 'False', reason: 'ListKindConflict', message: '"WidgetList" is already in use' },
      { type: 'Established', status: 'False', reason: 'NotAccepted' },
    ],
  })
  const gadgets = { resource: { ...widgets.resource, plural: 'gadgets' }, namespace: 'default' }
  expect(refusalOf(await client.list(gadgets)).code).toBe(404)
  const accepted = (async () => {
    for await (const event of client.watch(definitions, { fieldSelector: 'metadata.name=gadgets.example.com' })) {
      if (event.type === 'MODIFIED') return event.object
    }
    return undefined
  })()
  valueOf(await client.delete({ ...definitions, name: 'widgets.example.com' }))
  expect(await accepted).toMatchObject({ status: { conditions: [{ status: 'True' }, { status: 'True' }] } })
  expect(valueOf(await client.list(gadgets)).items).toEqual([])
})

test('a version that is served beside the stored one shows the same objects under its own name and defaults', async () => {
  const { client } = await testServer()
  const [v1] = (definition()['spec'] as { versions: object[] }).versions
  const v2 = {
    ...v1,
    name: 'v2',
    storage: false,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: { size: { type: 'integer' }, shape: { type: 'string', default: 'round' } },
          },
        },
      },
    },
  }
  await defined(client, definition({ versions: [v1, v2] }))
  valueOf(await client.create(widgets, widget('a', { size: 1 })))
  const inV2 = { resource: { ...widgets.resource, version: 'v2' }, namespace: 'default' }
  expect(valueOf(await client.get({ ...inV2, name: 'a' }))).toMatchObject({
    apiVersion: 'example.com/v2',
    spec: { size: 1, shape: 'round' },
  })
})

test('deleting a definition deletes its objects first', async () => {
  const { client } = await testServer()
  await defined(client)
  valueOf(await client.create(widgets, widget('a', { size: 1 })))
  const gone = new Promise<void>((resolve) => {
    void (async () => {
      for await (const event of client.watch(definitions)) if (event.type === 'DELETED') return resolve()
    })()
  })
  const going = valueOf(await client.delete({ ...definitions, name: 'widgets.example.com' }))
  expect(going).toMatchObject({ metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'] } })
  await gone
  expect(refusalOf(await client.list(widgets)).code).toBe(404)
  await defined(client)
  expect(valueOf(await client.list(widgets)).items).toEqual([])
})

test.each([
  ['a name that is not plural and group', { group: 'example.org' }, {}, 'metadata.name'],
  ['two stored versions', {}, { storage: false }, 'spec.versions'],
  [
    'a schema without a type',
    {},
    { schema: { openAPIV3Schema: { properties: { spec: {} } } } },
    'spec.versions[0].schema',
  ],
  ['no schema', {}, { schema: undefined }, 'spec.versions[0].schema.openAPIV3Schema'],
  ['an unknown scope', { scope: 'World' }, {}, 'spec.scope'],
  [
    'a scale path outside spec',
    {},
    { subresources: { scale: { specReplicasPath: '.x', statusReplicasPath: '.status.x' } } },
    'spec.versions[0].subresources.scale.specReplicasPath',
  ],
])('%s is refused', async (_name, changes, version, at) => {
  const { client } = await testServer()
  const refusal = refusalOf(await client.create(definitions, definition(changes, version)))
  expect(refusal.code).toBe(422)
  expect(refusal.details?.causes?.map(({ field }) => field).join(' ')).toContain(at)
})

test.each(packedProjects)('the definitions of %s are accepted and served', async (project) => {
  const { client, server } = await testServer()
  for (const object of packedCrds(readData, project)) {
    const made = await defined(client, object)
    expect(made['status'], made.metadata.name).toMatchObject({ conditions: [{ status: 'True' }, { status: 'True' }] })
    const { group, names, versions } = made['spec'] as {
      group: string
      names: { plural: string }
      versions: { name: string; served: boolean }[]
    }
    for (const { name, served } of versions) {
      const resource = server.registry().find(group, name, names.plural)
      expect(resource !== undefined).toBe(served)
      expect(resource?.typing.schema.type ?? 'object').toBe('object')
    }
  }
})

test('the CEL rules of a definition hold for its objects, and about changes of them', async () => {
  const { client } = await testServer()
  const rules = [
    { rule: 'self.replicas <= self.size * 2', message: 'too many for its size' },
    { rule: 'self.size >= oldSelf.size', messageExpression: "'it may not shrink below ' + string(oldSelf.size)" },
  ]
  const { spec } = schema.properties
  const ruled = {
    ...schema,
    properties: { ...schema.properties, spec: { ...spec, 'x-kubernetes-validations': rules } },
  }
  valueOf(await client.create(definitions, definition({}, { schema: { openAPIV3Schema: ruled } })))
  expect(refusalOf(await client.create(widgets, widget('a', { size: 1, replicas: 3 })))).toMatchObject({
    code: 422,
    details: { causes: [{ field: 'spec', message: expect.stringContaining('too many for its size') as string }] },
  })
  valueOf(await client.create(widgets, widget('a', { size: 2, replicas: 3 })))
  const smaller = { type: 'merge', body: { spec: { size: 1, replicas: 1 } } } as const
  expect(refusalOf(await client.patch({ ...widgets, name: 'a' }, smaller)).message).toContain(
    'it may not shrink below 2',
  )
})

test('a definition whose rule cannot be compiled is refused, with the place of the rule', async () => {
  const { client } = await testServer()
  const broken = { ...schema, 'x-kubernetes-validations': [{ rule: 'self.spec.nope > 1' }] }
  const refusal = refusalOf(await client.create(definitions, definition({}, { schema: { openAPIV3Schema: broken } })))
  expect(refusal).toMatchObject({ code: 422 })
  expect(refusal.message).toMatch(
    /spec\.versions\[0\]\.schema\.openAPIV3Schema\.x-kubernetes-validations\[0\]\.rule.*nope/s,
  )
})

test('a rule that could cost too much is refused before an object has to pay for it', async () => {
  const { client } = await testServer()
  const list = { type: 'array', items: { type: 'string' } }
  const rule = 'self.names.all(a, self.names.all(b, self.names.all(c, a == b || b == c || a.contains(c))))'
  const dear = { type: 'object', properties: { names: list }, 'x-kubernetes-validations': [{ rule }] }
  const refusal = refusalOf(await client.create(definitions, definition({}, { schema: { openAPIV3Schema: dear } })))
  expect(refusal.code).toBe(422)
  expect(refusal.message).toMatch(/estimated rule cost|exceeds/)
})
