import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../lib/json.ts'
import type { Schema } from '../schema/schema.ts'
import { nested } from './documents.testkit.ts'
import { identityUnchanged } from './merge-patch.ts'
import { applyStrategicPatch, createStrategicPatch, createThreeWayStrategicPatch } from './strategic-patch.ts'

const text: Schema = { type: 'string' }
const port: Schema = {
  type: 'object',
  properties: new Map([
    ['name', text],
    ['port', { type: 'integer' }],
    ['tags', { type: 'array', items: text, patchStrategy: ['merge'] }],
  ]),
}
const spec: Schema = {
  type: 'object',
  definition: 'Spec',
  properties: new Map<string, Schema>([
    ['ports', { type: 'array', items: port, patchStrategy: ['merge'], patchMergeKey: 'name' }],
    ['finalizers', { type: 'array', items: text, patchStrategy: ['merge'] }],
    ['args', { type: 'array', items: text }],
    ['labels', { type: 'object', additionalProperties: text }],
    ['strategy', { ...port, patchStrategy: ['retainKeys'] }],
    ['raw', { type: 'object', patchStrategy: ['replace'] }],
    ['keyless', { type: 'array', items: port, patchStrategy: ['merge'] }],
    ['anything', {}],
  ]),
}

const row = (name: string, document: unknown, patch: unknown, want: unknown) => ({ name, document, patch, want })

describe('a strategic merge patch', () => {
  test.each([
    row(
      'merges lists by key',
      { ports: [{ name: 'a', port: 1 }] },
      { ports: [{ name: 'a', tags: ['x'] }, { name: 'b' }] },
      {
        ports: [{ name: 'a', port: 1, tags: ['x'] }, { name: 'b' }],
      },
    ),
    row(
      'deletes an element by key',
      { ports: [{ name: 'a' }, { name: 'b' }] },
      { ports: [{ $patch: 'delete', name: 'a' }] },
      {
        ports: [{ name: 'b' }],
      },
    ),
    row(
      'replaces a list by directive',
      { ports: [{ name: 'a' }] },
      { ports: [{ $patch: 'replace' }, { name: 'b' }] },
      {
        ports: [{ name: 'b' }],
      },
    ),
    row(
      'merges scalars as a set',
      { finalizers: ['a', 'b'] },
      { finalizers: ['c', 'a'] },
      { finalizers: ['c', 'a', 'b'] },
    ),
    row(
      'deletes scalars',
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a'] },
      { finalizers: ['b'] },
    ),
    row('replaces lists without strategy', { args: ['a'] }, { args: ['b'] }, { args: ['b'] }),
    row(
      'clears what retainKeys does not name',
      { strategy: { name: 'a', port: 1 } },
      {
        strategy: { $retainKeys: ['name'], name: 'b' },
      },
      { strategy: { name: 'b' } },
    ),
    row(
      'replaces a map by directive',
      { labels: { a: '1' } },
      { labels: { $patch: 'replace', b: '2' } },
      { labels: { b: '2' } },
    ),
    row('empties a map by directive', { labels: { a: '1' } }, { labels: { $patch: 'delete' } }, { labels: {} }),
    row('replaces a field of strategy replace', { raw: { a: 1 } }, { raw: { b: 2 } }, { raw: { b: 2 } }),
    row(
      'removes with null and drops new nulls',
      { labels: { a: '1' } },
      { labels: { a: null, b: null }, args: null },
      { labels: {} },
    ),
    row(
      'merges below unknown types like JSON',
      { anything: { a: [1], b: 1 } },
      { anything: { a: [2] } },
      {
        anything: { a: [2], b: 1 },
      },
    ),
    row(
      'orders by $setElementOrder and keeps live elements in their places',
      { ports: [{ name: 'a' }, { name: 'x' }, { name: 'b' }] },
      { '$setElementOrder/ports': [{ name: 'b' }, { name: 'a' }], ports: [{ name: 'b', port: 2 }] },
      { ports: [{ name: 'x' }, { name: 'b', port: 2 }, { name: 'a' }] },
    ),
  ])('$name', ({ document, patch, want }) => {
    expect(applyStrategicPatch(deepFreeze(document), deepFreeze(patch), spec)).toEqual({ ok: true, value: want })
  })

  test.each([
    row(
      'a missing merge key',
      { ports: [{ name: 'a' }] },
      { ports: [{ port: 1 }] },
      'strategic-patch-merge-key-missing',
    ),
    row('an unknown directive', {}, { $patch: 'merge' }, 'strategic-patch-invalid'),
    row(
      'a wrong order',
      { ports: [] },
      {
        '$setElementOrder/ports': [{ name: 'a' }, { name: 'b' }],
        ports: [{ name: 'b' }, { name: 'a' }],
      },
      'strategic-patch-order-mismatch',
    ),
    row(
      'a retainKeys list that lacks a field',
      { strategy: {} },
      { strategy: { $retainKeys: [], name: 'a' } },
      'strategic-patch-invalid',
    ),
    row('a list of maps without merge key', { keyless: [{}] }, { keyless: [{}] }, 'strategic-patch-invalid'),
    row('a list of lists', { finalizers: [['a']] }, { finalizers: [['b']] }, 'strategic-patch-invalid'),
    row('mixed elements', { finalizers: ['a'] }, { finalizers: [1] }, 'strategic-patch-invalid'),
    row('a field that the type lacks', { nope: {} }, { nope: {} }, 'strategic-patch-field-unknown'),
    row('a deletion list without a field', {}, { $deleteFromPrimitiveList: [1] }, 'strategic-patch-invalid'),
    row('a document that is no map', [], {}, 'strategic-patch-invalid'),
    row('100,000 levels', {}, nested(100_000), 'document-too-deep'),
  ])('with $name is refused', ({ document, patch, want }) => {
    expect(applyStrategicPatch(document, patch, spec)).toMatchObject({ ok: false, error: [{ code: want }] })
  })

  test('without a schema merges like JSON', () => {
    expect(applyStrategicPatch({ a: { b: [1] }, c: 1 }, { a: { b: [2], d: 3 }, c: null }, undefined)).toEqual({
      ok: true,
      value: { a: { b: [2], d: 3 } },
    })
  })

  test('that changes nothing answers the same object', () => {
    const document = deepFreeze({ ports: [{ name: 'a', port: 1 }], labels: { a: '1' }, args: ['x'] })
    const patch = { ports: [{ name: 'a', port: 1 }], labels: { a: '1' }, args: ['x'] }
    const result = applyStrategicPatch(document, patch, spec)
    expect(result.ok && result.value).toBe(document)
  })

  test('merges lists of 100,000 elements in one pass', () => {
    const ports = Array.from({ length: 100_000 }, (_, index) => ({ name: `p${index}` }))
    const order = ports.toReversed()
    const result = applyStrategicPatch({ ports }, { '$setElementOrder/ports': order, ports: order }, spec)
    expect(result.ok && result.value['ports']).toEqual(order)
  })
})

const name = fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__')
const portValue = fc.record(
  { name, port: fc.constantFrom(1, 2), tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 }) },
  { requiredKeys: ['name'] },
)
const specValue = fc.record(
  {
    ports: fc.uniqueArray(portValue, { selector: (item) => item.name, maxLength: 4 }),
    finalizers: fc.uniqueArray(fc.constantFrom('f', 'g', 'h', 'i'), { maxLength: 4 }),
    args: fc.array(fc.constantFrom('1', '2'), { maxLength: 3 }),
    labels: fc.dictionary(name, fc.constantFrom('1', '2'), { maxKeys: 3 }),
    strategy: portValue,
    raw: fc.dictionary(name, fc.constantFrom(1, 2), { maxKeys: 2 }),
  },
  { requiredKeys: [] },
)

/** A merging list that became empty comes back empty, and one that was created empty is not created. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value)
    .map(([key, below]) => [key, withoutEmpty(below)] as const)
    .filter(([, below]) => !(Array.isArray(below) && below.length === 0))
  return Object.fromEntries(kept)
}

test('applying the patch made from two objects to the one gives the other', () => {
  fc.assert(
    fc.property(specValue, specValue, (from, to) => {
      const patch = createStrategicPatch(from, to, spec)
      const result = patch.ok && applyStrategicPatch(deepFreeze(from), deepFreeze(patch.value), spec)
      expect(result && result.ok && withoutEmpty(result.value)).toEqual(withoutEmpty(to))
    }),
    { numRuns: 500 },
  )
})

test('a three-way patch without changes in between is the two-way patch in effect, and keeps what others added', () => {
  fc.assert(
    fc.property(specValue, specValue, (original, modified) => {
      const current = { ...original, anything: { of: 'others' } }
      const patch = createThreeWayStrategicPatch({ original, modified, current, schema: spec, overwrite: true })
      const result = patch.ok && applyStrategicPatch(current, patch.value, spec)
      expect(result && result.ok && withoutEmpty(result.value)).toEqual(
        withoutEmpty({ ...modified, anything: { of: 'others' } }),
      )
    }),
  )
})

describe('a three-way strategic patch', () => {
  const documents = {
    original: { ports: [{ name: 'a', port: 1 }] },
    modified: { ports: [{ name: 'a', port: 2 }] },
    current: { ports: [{ name: 'a', port: 3 }] },
    schema: spec,
  }

  test('conflicts where the object was changed otherwise, unless it may overwrite', () => {
    expect(createThreeWayStrategicPatch(documents)).toMatchObject({ ok: false, error: [{ code: 'patch-conflict' }] })
    expect(createThreeWayStrategicPatch({ ...documents, overwrite: true })).toEqual({
      ok: true,
      value: { '$setElementOrder/ports': [{ name: 'a' }], ports: [{ name: 'a', port: 2 }] },
    })
  })

  test('guards what identifies the object', () => {
    const change = { modified: { kind: 'B' }, current: { kind: 'A' }, preconditions: identityUnchanged }
    expect(createThreeWayStrategicPatch(change)).toMatchObject({
      ok: false,
      error: [{ code: 'patch-precondition-failed' }],
    })
  })
})
