import { describe, expect, test } from 'vitest'
import { readData } from '../../../lib/data-file.ts'
import { mergeStrategic } from './merge.ts'
import { readMergeTable, tableOfOpenApi } from './table.ts'

const table = readMergeTable(new TextDecoder().decode(readData('kustomize/merge-table')))
const deployment = table.schemaOf('apps/v1', 'Deployment')
const podSpec = (spec: object): Record<string, unknown> => ({ spec: { template: { spec } } })
const merged = (base: object, patch: object, schema = deployment): unknown => {
  const result = mergeStrategic(base as Record<string, unknown>, patch as Record<string, unknown>, schema)
  return result.ok ? result.value : result.error[0]?.message
}

describe('mergeStrategic', () => {
  test.each<[string, object, object, unknown]>([
    ['fields are merged, values replaced', { a: 1, b: { c: 1, d: 2 } }, { b: { c: 3 } }, { a: 1, b: { c: 3, d: 2 } }],
    ['null removes', { a: 1, b: 2 }, { b: null }, { a: 1 }],
    ['a null that was there stays', { a: null }, { b: 1 }, { a: null, b: 1 }],
    ['a null of something new vanishes', {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    ['$patch: delete takes the object', { a: 1 }, { $patch: 'delete' }, undefined],
    ['$patch: delete takes a field', { a: { b: 1 }, c: 1 }, { a: { $patch: 'delete' } }, { c: 1 }],
    ['$patch: replace replaces', { a: { b: 1 } }, { a: { $patch: 'replace', c: 2 } }, { a: { c: 2 } }],
    ['an unknown directive is told', { a: { b: 1 } }, { a: { $patch: 'eat' } }, 'a: unknown patch strategy "eat"'],
    ['lists without keys are replaced', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['shapes must agree', { a: [1] }, { a: { b: 1 } }, 'a: the patch has a map where the object has a list'],
    [
      'a field called __proto__ is a field',
      JSON.parse('{"__proto__": {"a": 1}}') as object,
      JSON.parse('{"__proto__": {"b": 2}}') as object,
      JSON.parse('{"__proto__": {"a": 1, "b": 2}}'),
    ],
  ])('%s', (_name, base, patch, want) => {
    expect(merged(base, patch, undefined)).toEqual(want)
  })

  test.each<[string, object, object, object]>([
    [
      'containers merge by name, new ones come first',
      {
        containers: [
          { name: 'a', image: 'a:1' },
          { name: 'b', image: 'b:1' },
        ],
      },
      {
        containers: [
          { name: 'c', image: 'c:1' },
          { name: 'b', image: 'b:2' },
        ],
      },
      {
        containers: [
          { name: 'c', image: 'c:1' },
          { name: 'b', image: 'b:2' },
          { name: 'a', image: 'a:1' },
        ],
      },
    ],
    [
      'an item is deleted',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { containers: [{ name: 'a', $patch: 'delete' }] },
      { containers: [{ name: 'b' }] },
    ],
    [
      'a list is replaced',
      { containers: [{ name: 'a' }] },
      { containers: [{ $patch: 'replace' }, { name: 'b' }] },
      { containers: [{ name: 'b' }] },
    ],
    ['a list is deleted', { containers: [{ name: 'a' }], x: 1 }, { containers: [{ $patch: 'delete' }] }, { x: 1 }],
    [
      'ports are told apart by port and protocol',
      { containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }] },
      { containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'UDP' }] }] },
      {
        containers: [
          {
            name: 'a',
            ports: [
              { containerPort: 80, protocol: 'UDP' },
              { containerPort: 80, protocol: 'TCP', name: 'http' },
            ],
          },
        ],
      },
    ],
    [
      'a port that does not say its protocol is the same port',
      { containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }] },
      { containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }] },
      { containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }] },
    ],
    [
      'volumes merge by name',
      { volumes: [{ name: 'v', emptyDir: {} }] },
      { volumes: [{ name: 'v', emptyDir: null, secret: { secretName: 's' } }] },
      { volumes: [{ name: 'v', secret: { secretName: 's' } }] },
    ],
    [
      'a list of arguments is one value',
      { containers: [{ name: 'a', args: ['x', 'y'] }] },
      { containers: [{ name: 'a', args: ['z'] }] },
      { containers: [{ name: 'a', args: ['z'] }] },
    ],
    [
      'new lists arrive as they are',
      {},
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { containers: [{ name: 'a' }, { name: 'b' }] },
    ],
  ])('in a Pod template %s', (_name, base, patch, want) => {
    expect(merged(podSpec(base), podSpec(patch))).toEqual(podSpec(want))
  })

  test('finalizers merge as a set', () => {
    expect(merged({ metadata: { finalizers: ['a', 'b'] } }, { metadata: { finalizers: ['c', 'b'] } })).toEqual({
      metadata: { finalizers: ['c', 'b', 'a'] },
    })
  })

  test('nesting without end is refused', () => {
    let deep: object = {}
    for (let depth = 0; depth < 5_000; depth++) deep = { a: deep }
    expect(merged(deep, deep, undefined)).toMatch(/deeper than/)
  })
})

describe('the table', () => {
  test.each([
    ['v1', 'Namespace', false],
    ['apps/v1', 'Deployment', true],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole', false],
    ['example.com/v1', 'Widget', undefined],
  ])('%s %s is namespaced: %s', (apiVersion, kind, want) => {
    expect(table.isNamespaced(apiVersion, kind)).toBe(want)
  })

  test('an OpenAPI document of the user says how custom kinds merge', () => {
    const custom = tableOfOpenApi({
      definitions: {
        'v1.Widget': {
          type: 'object',
          properties: { spec: { $ref: '#/definitions/v1.WidgetSpec' } },
          'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Widget' }],
        },
        'v1.WidgetSpec': {
          properties: {
            parts: {
              type: 'array',
              items: { type: 'object' },
              'x-kubernetes-patch-strategy': 'merge',
              'x-kubernetes-patch-merge-key': 'id',
            },
            self: { $ref: '#/definitions/v1.WidgetSpec' },
          },
        },
      },
    })
    const schema = custom.schemaOf('example.com/v1', 'Widget')
    const base = { spec: { parts: [{ id: 1, a: 1 }], self: { parts: [{ id: 2 }] } } }
    const patch = { spec: { parts: [{ id: 1, b: 2 }], self: { parts: [{ id: 2, c: 3 }] } } }
    expect(merged(base, patch, schema)).toEqual({
      spec: { parts: [{ id: 1, a: 1, b: 2 }], self: { parts: [{ id: 2, c: 3 }] } },
    })
    expect(custom.schemaOf('apps/v1', 'Deployment')).toBeUndefined()
  })
})
