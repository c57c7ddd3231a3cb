import { expect, test } from 'vitest'
import { deepFreeze } from '../../lib/json.ts'
import { prune } from './prune.ts'
import { readStructural } from './structural.ts'

const spec = {
  type: 'object',
  properties: {
    a: { type: 'string' },
    list: { type: 'array', items: { type: 'object', properties: { b: { type: 'integer' } } } },
  },
}

interface Case {
  readonly name: string
  readonly schema: unknown
  readonly value: unknown
  readonly want: unknown
  readonly unknown: readonly string[]
}

test.each<Case>([
  {
    name: 'drops and names what the schema does not know',
    schema: { type: 'object', properties: { spec } },
    value: {
      apiVersion: 'v1',
      kind: 'X',
      metadata: { any: 1 },
      spec: { a: '', c: 1, list: [{ b: 1 }, { d: 2 }] },
      more: {},
    },
    want: { apiVersion: 'v1', kind: 'X', metadata: { any: 1 }, spec: { a: '', list: [{ b: 1 }, {}] } },
    unknown: ['more', 'spec.c', 'spec.list[1].d'],
  },
  {
    name: 'keeps unknown fields where it is told to, and prunes the known ones below',
    schema: { type: 'object', properties: { spec: { ...spec, 'x-kubernetes-preserve-unknown-fields': true } } },
    value: { spec: { other: { deep: [1] }, list: [{ d: 2 }] } },
    want: { spec: { other: { deep: [1] }, list: [{}] } },
    unknown: ['spec.list[0].d'],
  },
  {
    name: 'goes on below the values of a map',
    schema: { type: 'object', properties: { map: { type: 'object', additionalProperties: spec } } },
    value: { map: { x: { a: '', c: 1 } } },
    want: { map: { x: { a: '' } } },
    unknown: ['map.x.c'],
  },
  {
    name: 'empties objects of which nothing is known',
    schema: {
      type: 'object',
      properties: { bare: { type: 'object' }, any: { type: 'object', additionalProperties: true } },
    },
    value: { bare: { x: 1 }, any: { x: { y: 1 }, z: [{ q: 1 }, 2] } },
    want: { bare: {}, any: { x: {}, z: [{}, 2] } },
    unknown: ['any.x.y', 'any.z[0].q', 'bare.x'],
  },
  {
    name: 'keeps apiVersion, kind and metadata of embedded objects',
    schema: {
      type: 'object',
      properties: { in: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec } } },
    },
    value: { in: { apiVersion: 'v1', kind: 'Y', metadata: { name: 'n' }, status: {} } },
    want: { in: { apiVersion: 'v1', kind: 'Y', metadata: { name: 'n' } } },
    unknown: ['in.status'],
  },
])('$name', ({ schema, value, want, unknown }) => {
  const pruned = prune(deepFreeze(value), readStructural(schema))
  expect(pruned).toEqual({ value: want, unknown })
})

test('what needs no change comes back as it is', () => {
  const value = deepFreeze({ spec: { a: 'x', list: [{ b: 1 }] } })
  expect(prune(value, readStructural({ type: 'object', properties: { spec } })).value).toBe(value)
})

test('a __proto__ that is data is pruned like any other name', () => {
  const value = JSON.parse('{"spec": {"__proto__": {"polluted": true}, "a": ""}}') as object
  const pruned = prune(value, readStructural({ type: 'object', properties: { spec } }))
  expect(pruned.unknown).toEqual(['spec.__proto__'])
  expect(JSON.stringify(pruned.value)).toBe('{"spec":{"a":""}}')
})
