import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../lib/json.ts'
import { createJsonPatch } from './json-diff.ts'
import { applyJsonPatch } from './json-patch.ts'
import { jsonObject, nested } from './documents.testkit.ts'

const row = (name: string, document: unknown, patch: unknown, want: unknown) => ({ name, document, patch, want })

describe('a JSON patch is applied as the API server does', () => {
  test.each([
    row('adds a key', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }),
    row('adds over a key', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }),
    row('inserts into a list', { l: [1, 3] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2, 3] }),
    row('inserts at the end by index', { l: [1] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2] }),
    row('appends with -', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }], { l: [1, 2] }),
    row('adds at a negative index', { l: [1, 2] }, [{ op: 'add', path: '/l/-1', value: 3 }], { l: [1, 2, 3] }),
    row('adds null for a missing value', {}, [{ op: 'add', path: '/a' }], { a: null }),
    row('removes a key', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }),
    row('removes the last element by -1', { l: [1, 2] }, [{ op: 'remove', path: '/l/-1' }], { l: [1] }),
    row('replaces a missing key by adding it', {}, [{ op: 'replace', path: '/a', value: 1 }], { a: 1 }),
    row('replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: [1] }], [1]),
    row('moves', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }),
    row('copies', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }),
    row('copies nothing as null', {}, [{ op: 'copy', from: '/a', path: '/b' }], { b: null }),
    row('tests a number', { a: 1 }, [{ op: 'test', path: '/a', value: 1 }], { a: 1 }),
    row('tests the whole', { a: [1] }, [{ op: 'test', path: '', value: { a: [1] } }], { a: [1] }),
    row('tests null where nothing is', {}, [{ op: 'test', path: '/a', value: null }], {}),
    row('unescapes ~1 and ~0', { 'a/b~c': 1 }, [{ op: 'remove', path: '/a~1b~0c' }], {}),
    row('unescapes ~01 as ~1', { '~1': 1 }, [{ op: 'remove', path: '/~01' }], {}),
    row('names the empty key', { '': 1 }, [{ op: 'remove', path: '/' }], {}),
    row(
      'keeps a copy apart from its source',
      { a: { n: 1 } },
      [
        { op: 'replace', path: '/a/n', value: 2 },
        { op: 'copy', from: '/a', path: '/b' },
        { op: 'replace', path: '/b/n', value: 3 },
      ],
      { a: { n: 2 }, b: { n: 3 } },
    ),
    row(
      'treats __proto__ as a key',
      JSON.parse('{"__proto__": {"a": 1}}'),
      [{ op: 'add', path: '/__proto__/b', value: 2 }],
      JSON.parse('{"__proto__": {"a": 1, "b": 2}}'),
    ),
  ])('$name', ({ document, patch, want }) => {
    expect(applyJsonPatch(deepFreeze(document), deepFreeze(patch))).toEqual({ ok: true, value: want })
  })

  test.each([
    row('a patch that is no list', {}, {}, 'json-patch-invalid'),
    row('an operation that is no object', {}, ['add'], 'json-patch-invalid'),
    row('an unknown operation', {}, [{ op: 'merge', path: '/a' }], 'json-patch-invalid'),
    row('a missing path', {}, [{ op: 'add', value: 1 }], 'json-patch-invalid'),
    row('adding the whole', {}, [{ op: 'add', path: '', value: {} }], 'json-patch-path-missing'),
    row('a missing parent', {}, [{ op: 'add', path: '/a/b', value: 1 }], 'json-patch-path-missing'),
    row('a path through a scalar', { a: 1 }, [{ op: 'add', path: '/a/b', value: 1 }], 'json-patch-path-missing'),
    row('a prototype name as parent', {}, [{ op: 'add', path: '/__proto__/x', value: 1 }], 'json-patch-path-missing'),
    row('removing a missing key', {}, [{ op: 'remove', path: '/a' }], 'json-patch-path-missing'),
    row('moving a missing key', {}, [{ op: 'move', from: '/a', path: '/b' }], 'json-patch-path-missing'),
    row('moving into itself', { a: {} }, [{ op: 'move', from: '/a', path: '/a/b' }], 'json-patch-path-missing'),
    row('an index past the end', { l: [] }, [{ op: 'add', path: '/l/1', value: 1 }], 'json-patch-index-invalid'),
    row('an index that is no number', { l: [1] }, [{ op: 'remove', path: '/l/x' }], 'json-patch-index-invalid'),
    row('replacing past the end', { l: [1] }, [{ op: 'replace', path: '/l/1', value: 1 }], 'json-patch-index-invalid'),
    row('a failing test', { a: 1 }, [{ op: 'test', path: '/a', value: 2 }], 'json-patch-test-failed'),
    row('a test of nothing', {}, [{ op: 'test', path: '/a', value: 2 }], 'json-patch-test-failed'),
    row('a scalar for the whole', {}, [{ op: 'replace', path: '', value: 1 }], 'json-patch-invalid'),
  ])('$name is refused', ({ document, patch, want }) => {
    expect(applyJsonPatch(document, patch)).toMatchObject({ ok: false, error: [{ code: want }] })
  })
})

test('what a patch does not touch keeps its identity', () => {
  const document = { a: { b: [1] }, c: { d: 1 } }
  const result = applyJsonPatch(document, [{ op: 'replace', path: '/c/d', value: 2 }])
  expect(result.ok && (result.value as typeof document).a).toBe(document.a)
})

test('applying the difference of two documents to the one gives the other', () => {
  fc.assert(
    fc.property(jsonObject, jsonObject, (from, to) => {
      const patch = createJsonPatch(from, to)
      expect(patch.ok && applyJsonPatch(deepFreeze(from), patch.value)).toEqual({ ok: true, value: to })
    }),
  )
})

test('equal documents differ by nothing', () => {
  fc.assert(
    fc.property(jsonObject, (document) => {
      expect(createJsonPatch(document, structuredClone(document))).toEqual({ ok: true, value: [] })
    }),
  )
})

describe('hostile patches end soon and clearly', () => {
  test('copying a document into itself again and again is stopped', () => {
    const patch = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '/a', path: `/a/k${index}` }))
    expect(applyJsonPatch({ a: { text: 'x'.repeat(100) } }, patch)).toMatchObject({
      ok: false,
      error: [{ code: 'json-patch-too-large' }],
    })
  })

  test('more than 10,000 operations are refused, 10,000 on a long list are not', () => {
    const long = { l: Array.from({ length: 100_000 }, (_, index) => index) }
    const adds = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/l/0', value: 0 }))
    const result = applyJsonPatch(long, adds)
    expect(result.ok && (result.value as typeof long).l.length).toBe(110_000)
    expect(applyJsonPatch(long, [...adds, ...adds])).toMatchObject({
      ok: false,
      error: [{ code: 'json-patch-too-large' }],
    })
  })

  test('a document of 100,000 levels is refused', () => {
    const deep = nested(100_000)
    const refused = { ok: false, error: [{ code: 'document-too-deep' }] }
    expect(applyJsonPatch(deep, [])).toMatchObject(refused)
    expect(applyJsonPatch({}, [{ op: 'add', path: '/a', value: deep }])).toMatchObject(refused)
    expect(createJsonPatch(deep, {})).toMatchObject(refused)
  })

  test('nesting by operations is refused too', () => {
    const patch = Array.from({ length: 2_000 }, (_, index) => ({
      op: 'add',
      path: '/a'.repeat(index + 1),
      value: {},
    }))
    expect(applyJsonPatch({}, patch)).toMatchObject({ ok: false, error: [{ code: 'document-too-deep' }] })
  })

  test('lists that differ in very many places are replaced whole', () => {
    const from = Array.from({ length: 100_000 }, (_, index) => index)
    const to = from.map((item) => item + 1)
    expect(createJsonPatch({ l: from }, { l: to })).toEqual({
      ok: true,
      value: [{ op: 'replace', path: '/l', value: to }],
    })
  })
})
