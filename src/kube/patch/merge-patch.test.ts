import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../lib/json.ts'
import { jsonObject, nested, withoutAnyNull } from './documents.testkit.ts'
import {
  applyMergePatch,
  createMergePatch,
  createThreeWayMergePatch,
  filterPatch,
  identityUnchanged,
} from './merge-patch.ts'

const row = (name: string, document: unknown, patch: unknown, want: unknown) => ({ name, document, patch, want })

describe('a merge patch', () => {
  test.each([
    row('adds and replaces keys', { a: 1 }, { a: 2, b: 3 }, { a: 2, b: 3 }),
    row('removes with null', { a: 1, b: 2 }, { a: null, c: null }, { b: 2 }),
    row('merges objects at any depth', { a: { b: { c: 1 } } }, { a: { b: { d: 2 } } }, { a: { b: { c: 1, d: 2 } } }),
    row('replaces lists', { a: [1, 2] }, { a: [3] }, { a: [3] }),
    row('drops nulls of what is new', {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }),
    row(
      'drops keys with null inside of new lists, but not null elements',
      {},
      { a: [{ b: null }, null] },
      { a: [{}, null] },
    ),
    row('keeps nulls of a list in the place of an object', { a: {} }, { a: [{ b: null }] }, { a: [{ b: null }] }),
    row('puts an object in the place of a scalar', { a: 1 }, { a: { b: 1, c: null } }, { a: { b: 1 } }),
    row('takes a document that is no object for nothing', [1], { a: 1 }, { a: 1 }),
  ])('$name', ({ document, patch, want }) => {
    expect(applyMergePatch(deepFreeze(document), deepFreeze(patch))).toEqual({ ok: true, value: want })
  })

  test.each([1, 'a', null, true])('%j is no merge patch', (patch) => {
    expect(applyMergePatch({}, patch)).toMatchObject({ ok: false, error: [{ code: 'merge-patch-invalid' }] })
  })

  test('that changes nothing answers the same object', () => {
    const document = { a: { b: [1, { c: 2 }] } }
    expect(applyMergePatch(document, { a: { b: [1, { c: 2 }] }, x: null })).toEqual({ ok: true, value: document })
    const result = applyMergePatch(document, { a: { b: [1, { c: 2 }] }, x: null })
    expect(result.ok && result.value).toBe(document)
  })

  test('made from two documents turns the one into the other, and applied again changes nothing', () => {
    const plain = jsonObject.map((document) => withoutAnyNull(document) as Record<string, unknown>)
    fc.assert(
      fc.property(plain, plain, (from, to) => {
        const patch = createMergePatch(from, to)
        const once = patch.ok && applyMergePatch(deepFreeze(from), patch.value)
        expect(once).toEqual({ ok: true, value: to })
        const twice = patch.ok && once && once.ok && applyMergePatch(once.value, patch.value)
        expect(twice && twice.ok && once && once.ok && twice.value === once.value).toBe(true)
      }),
    )
  })

  test('of 100,000 levels is refused', () => {
    expect(applyMergePatch({}, nested(100_000))).toMatchObject({ ok: false, error: [{ code: 'document-too-deep' }] })
    expect(createMergePatch(nested(100_000), {})).toMatchObject({ ok: false, error: [{ code: 'document-too-deep' }] })
  })
})

describe('a three-way merge patch', () => {
  test('removes what was applied before, keeps what others set, and adds what is new', () => {
    expect(
      createThreeWayMergePatch({
        original: { a: 1, gone: 1 },
        modified: { a: 2, added: 1 },
        current: { a: 1, gone: 1, other: 1 },
      }),
    ).toEqual({ ok: true, value: { a: 2, added: 1, gone: null } })
  })

  test('that would change the kind is refused when the identity is guarded', () => {
    const change = { modified: { kind: 'B' }, current: { kind: 'A' } }
    expect(createThreeWayMergePatch(change)).toEqual({ ok: true, value: { kind: 'B' } })
    expect(createThreeWayMergePatch({ ...change, preconditions: identityUnchanged })).toMatchObject({
      ok: false,
      error: [{ code: 'patch-precondition-failed', at: 'kind' }],
    })
  })
})

test('the removals and the additions of a patch are told apart', () => {
  const patch = { a: null, b: { c: null, d: {} }, e: [null] }
  expect(filterPatch(patch, 'keep')).toEqual({ ok: true, value: { a: null, b: { c: null } } })
  expect(filterPatch(patch, 'drop')).toEqual({ ok: true, value: { b: { d: {} }, e: [null] } })
})
