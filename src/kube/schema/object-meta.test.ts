import { expect, test } from 'vitest'
import { checkDnsSubdomain } from '../names.ts'
import type { KubeObject, ObjectMeta } from '../object.ts'
import { checkObjectMeta, checkObjectMetaUpdate } from './object-meta.ts'

const rules = { namespaced: true, checkName: checkDnsSubdomain }
const of = (metadata: ObjectMeta): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata })
const text = (problems: ReturnType<typeof checkObjectMeta>): readonly string[] =>
  problems.map(({ at, message }) => `${at}: ${message}`)

test.each<[string, ObjectMeta, readonly (string | RegExp)[]]>([
  ['good', { name: 'a.b', namespace: 'n', generateName: 'a-', labels: { 'x/y': '' }, finalizers: ['a/b'] }, []],
  ['no name', { namespace: 'n' }, ['metadata.name: Required value: name or generateName is required']],
  ['a bad name', { name: 'A', namespace: 'n' }, [/^metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain/]],
  ['no namespace', { name: 'a' }, ['metadata.namespace: Required value']],
  [
    'labels',
    { name: 'a', namespace: 'n', labels: { 'a b': 'ok', ok: 'a b' } },
    [/^metadata.labels: Invalid value: "a b": name part/, /^metadata.labels: Invalid value: "a b": a valid label/],
  ],
  [
    'large annotations',
    { name: 'a', namespace: 'n', annotations: { a: 'x'.repeat(262_144) } },
    ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  ],
  [
    'two controllers',
    {
      name: 'a',
      namespace: 'n',
      ownerReferences: [1, 2].map((n) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        name: `p${n}`,
        uid: 'u',
        controller: true,
      })),
    },
    [/Only one reference can have Controller set to true. Found "true" in references for Pod\/p1 and Pod\/p2$/],
  ],
  [
    'a half owner',
    { name: 'a', namespace: 'n', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: 'u' }] },
    ['metadata.ownerReferences[0].name: Required value: must not be empty'],
  ],
])('metadata: %s', (_name, metadata, want) => {
  const got = text(checkObjectMeta(of(metadata), rules))
  expect(got.length).toBe(want.length)
  for (const [at, line] of want.entries()) expect(got[at]).toMatch(line)
})

test('a cluster-wide kind has no namespace', () => {
  expect(text(checkObjectMeta(of({ name: 'a', namespace: 'n' }), { ...rules, namespaced: false }))).toEqual([
    'metadata.namespace: Forbidden: not allowed on this type',
  ])
})

test('identity does not change, and a leaving object gets no new finalizers', () => {
  const old = of({ name: 'a', uid: 'u', generation: 2, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x/y'] })
  const next = of({
    name: 'a',
    uid: 'v',
    generation: 1,
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['x/y', 'x/z'],
  })
  expect(text(checkObjectMetaUpdate(next, old))).toEqual([
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x/z"}',
    'metadata.generation: Invalid value: 1: must not be decremented',
    'metadata.uid: Invalid value: "v": field is immutable',
  ])
})
