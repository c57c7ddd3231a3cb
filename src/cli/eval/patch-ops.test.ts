import { describe, expect, test } from 'vitest'
import { evaluate as apply } from './apply.ts'
import { evaluate as jsonPatch } from './json-patch.ts'
import { evaluate as mergePatch } from './merge-patch.ts'
import { evaluate as strategicPatch } from './strategic-patch.ts'

describe('the patch ops', () => {
  test('apply by default, and do what is asked', () => {
    expect(jsonPatch({ document: { a: 1 }, patch: [{ op: 'remove', path: '/a' }] })).toEqual({ ok: true, value: {} })
    expect(jsonPatch({ do: 'create', original: {}, modified: { a: 1 } })).toEqual({
      ok: true,
      value: [{ op: 'add', path: '/a', value: 1 }],
    })
    expect(mergePatch({ document: { a: 1 }, patch: { a: null } })).toEqual({ ok: true, value: {} })
    expect(mergePatch({ do: 'removals', patch: { a: null, b: 1 } })).toEqual({ ok: true, value: { a: null } })
  })

  test('refuse an action they do not have, and name those they have', () => {
    expect(mergePatch({ do: 'explode' })).toMatchObject({ ok: false, error: [{ code: 'eval-action-unknown' }] })
  })

  test('know the built-in kinds', () => {
    const schema = { apiVersion: 'v1', kind: 'Pod' }
    const document = { spec: { containers: [{ name: 'a', image: 'i' }] } }
    const patch = { spec: { containers: [{ name: 'b' }] } }
    expect(strategicPatch({ schema, document, patch })).toEqual({
      ok: true,
      value: { spec: { containers: [{ name: 'b' }, { name: 'a', image: 'i' }] } },
    })
    const ops = [{ op: 'Apply', manager: 'm', apiVersion: 'v1', object: document }]
    expect(apply({ schema, ops })).toMatchObject({
      ok: true,
      value: {
        managed: {
          m: {
            fields: [
              ['spec', 'containers', { key: { name: 'a' } }],
              ['spec', 'containers', { key: { name: 'a' } }, 'image'],
              ['spec', 'containers', { key: { name: 'a' } }, 'name'],
            ],
          },
        },
      },
    })
  })

  test.each([
    [{ schema: { apiVersion: 'v1', kind: 'Nope' } }, 'eval-schema-unknown'],
    [{ schema: { openapi: { definitions: {} }, root: 'x' } }, 'eval-schema-unknown'],
    [{ schema: 'types: [' }, 'apply-types-invalid'],
    [{ schema: 'types: 1' }, 'apply-types-invalid'],
    [{ schema: 'types: []', root: 'x' }, 'apply-types-invalid'],
    [{ ops: [] }, 'eval-steps-invalid'],
    [{ ops: [{ op: 'Delete', manager: 'm', apiVersion: 'v1' }] }, 'eval-steps-invalid'],
  ])('refuse %j', (request, code) => {
    const ops = [{ op: 'Apply', manager: 'm', apiVersion: 'v1', object: {} }]
    expect(apply({ ops, ...request })).toMatchObject({ ok: false, error: [{ code }] })
  })

  test('types may be given in the notation of structured-merge-diff', () => {
    const schema =
      'types: [{name: t, map: {fields: [{name: l, type: {list: {elementType: {scalar: string}, elementRelationship: associative}}}]}}]'
    const step = (manager: string, item: string): object => ({
      op: 'Apply',
      manager,
      apiVersion: 'v1',
      object: { l: [item] },
    })
    expect(apply({ schema, root: 't', ops: [step('a', 'x'), step('b', 'y')] })).toMatchObject({
      ok: true,
      value: { object: { l: ['x', 'y'] }, conflicts: [[], []] },
    })
  })

  test('fields that versions spell differently are converted', () => {
    const names = { v1: { size: 'size' }, v2: { size: 'replicas' } }
    const ops = [
      { op: 'Apply', manager: 'a', apiVersion: 'v1', object: { size: 1 } },
      { op: 'Apply', manager: 'b', apiVersion: 'v2', object: { replicas: 2 } },
    ]
    expect(apply({ ops, names, apiVersion: 'v2' })).toMatchObject({
      ok: true,
      value: { object: { replicas: 1 }, conflicts: [[], [{ manager: 'a', path: ['size'] }]] },
    })
  })
})
