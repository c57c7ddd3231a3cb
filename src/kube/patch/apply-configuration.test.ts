import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import type { KubeObject } from '../object.ts'
import { builtinSchemas } from '../schema/builtin.ts'
import { applyConfiguration } from './apply-configuration.ts'

const schema = builtinSchemas(readData).schemaOf({ group: '', version: 'v1', kind: 'Pod' })
const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', labels: { x: '1' } },
  spec: {
    containers: [
      { name: 'one', image: 'a:1' },
      { name: 'two', image: 'b:1' },
    ],
  },
}

test('fields are set, and list items are found by their key', () => {
  const configuration = { metadata: { labels: { y: '2' } }, spec: { containers: [{ name: 'two', image: 'b:2' }] } }
  expect(applyConfiguration(pod, configuration, { schema })).toEqual({
    ok: true,
    value: {
      ...pod,
      metadata: { name: 'a', labels: { x: '1', y: '2' } },
      spec: {
        containers: [
          { name: 'one', image: 'a:1' },
          { name: 'two', image: 'b:2' },
        ],
      },
    },
  })
})

test('parts that can only be replaced as a whole are refused unless they are allowed', () => {
  const configuration = { spec: { containers: [{ name: 'two', command: ['sh'] }] } }
  expect(applyConfiguration(pod, configuration, { schema })).toMatchObject({
    ok: false,
    error: [{ message: 'may not mutate atomic arrays, maps or structs: .spec.containers[0].command' }],
  })
  expect(applyConfiguration(pod, configuration, { schema, allowsAtomic: true })).toMatchObject({ ok: true })
})

test('a field that the schema does not have is refused', () => {
  expect(applyConfiguration(pod, { spec: { nope: 1 } }, { schema })).toMatchObject({ ok: false })
})

test('without a schema maps are merged and lists replaced', () => {
  const thing = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' }, spec: { a: 1, list: [1] } }
  expect(applyConfiguration(thing, { spec: { b: 2, list: [2] } }, { schema: undefined })).toMatchObject({
    ok: true,
    value: { spec: { a: 1, b: 2, list: [2] } },
  })
})
