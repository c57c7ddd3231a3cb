import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { deepFreeze } from '../../lib/json.ts'
import type { CompiledPolicy } from '../engine/compiled-policy.ts'
import { PolicySet } from '../engine/policy-set.ts'
import { creating, objectFrom, pod, policyFrom, schemas, worldWith } from './classic.testkit.ts'
import { compilePolicy } from './family.ts'
import { applyJsonPatches } from './mutate/json-patches.ts'
import { plainPatch } from './mutate/overlay.ts'

const rule = (mutate: string): string =>
  `  - name: r\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    mutate:\n${mutate.replace(/^(?=.)/gm, '      ')}`

function mutated(mutate: string, object: KubeObject = pod()): unknown {
  const answer = policyFrom(rule(mutate)).evaluate('mutate', deepFreeze(creating(object)), worldWith())
  const again = policyFrom(rule(mutate)).evaluate('mutate', creating(answer.object ?? object), worldWith())
  expect(again.object, 'a mutation is done once').toEqual(answer.object)
  return answer.object
}

describe('an overlay', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['is the patch when it has no anchors', { a: { b: 1 } }, {}, { a: { b: 1 } }],
    ['adds only what is missing', { '+(a)': 1, '+(b)': 2 }, { a: 0 }, { b: 2 }],
    ['does nothing when a condition does not hold', { '(a)': 'x', b: 1 }, { a: 'y' }, undefined],
    ['loses its conditions', { '(a)': 'x*', b: 1 }, { a: 'xyz' }, { b: 1 }],
    [
      'becomes an item for each item that meets its conditions',
      { list: [{ '(image)': '*:latest', pull: 'Always' }] },
      {
        list: [
          { name: 'a', image: 'a:latest' },
          { name: 'b', image: 'b:1' },
          { name: 'c', image: 'c:latest' },
        ],
      },
      {
        list: [
          { pull: 'Always', name: 'a' },
          { pull: 'Always', name: 'c' },
        ],
      },
    ],
    [
      'asks a global condition of any item',
      { '<(kind)': 'Pod', list: [{ '<(image)': 'x*' }], add: 1 },
      { kind: 'Pod', list: [{ image: 'y' }, { image: 'x1' }] },
      { add: 1 },
    ],
    [
      'does nothing when no item meets a global condition',
      { list: [{ '<(image)': 'x*' }], add: 1 },
      { list: [{ image: 'y' }] },
      undefined,
    ],
    [
      'adds to each item by itself',
      { list: [{ '(name)': '*', '+(pull)': 'Always' }] },
      { list: [{ name: 'a', pull: 'Never' }, { name: 'b' }] },
      { list: [{ pull: 'Always', name: 'b' }] },
    ],
  ])('%s', (_, overlay, resource, want) => expect(plainPatch(deepFreeze(overlay), deepFreeze(resource))).toEqual(want))
})

test('a strategic merge patch merges containers by name, and volumes', () => {
  const patch =
    'patchStrategicMerge:\n  spec:\n    containers:\n    - (name): "*"\n      +(imagePullPolicy): Always\n    volumes: [{name: v, emptyDir: {}}]\n'
  expect(mutated(patch)).toMatchObject({
    spec: {
      containers: [{ name: 'a', image: 'nginx:1.2', imagePullPolicy: 'Always' }],
      volumes: [{ name: 'v', emptyDir: {} }],
    },
  })
})

test('JSON patches make what is missing on the way, and forgive removals', () => {
  expect(
    applyJsonPatches({}, [
      { op: 'add', path: '/a/b/0/c', value: 1 },
      { op: 'remove', path: '/x/y' },
    ]),
  ).toEqual({ a: { b: [{ c: 1 }] } })
  expect(() => applyJsonPatches({}, [{ op: 'replace', path: '/a', value: 1 }])).toThrow(/no such path/)
  expect(
    mutated(
      'patchesJson6902: |-\n  - op: add\n    path: /metadata/labels/by\n    value: "{{ request.userInfo.username }}"\n',
    ),
  ).toMatchObject({ metadata: { labels: { app: 'web', by: 'jane' } } })
})

test('loops patch item by item, and see what was made before', () => {
  const loop =
    'foreach:\n- list: request.object.spec.containers\n  patchStrategicMerge:\n    spec:\n      containers:\n      - name: "{{ element.name }}"\n        image: "registry.example/{{ images.containers.\\"{{ element.name }}\\".path }}:{{ images.containers.\\"{{ element.name }}\\".tag }}"\n'
  const two = objectFrom(
    '{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: "x/nginx:1"}, {name: b, image: "redis:2"}]}}',
  )
  expect(mutated(loop, two)).toMatchObject({
    spec: {
      containers: [
        { name: 'a', image: 'registry.example/x/nginx:1' },
        { name: 'b', image: 'registry.example/redis:2' },
      ],
    },
  })
})

test('targets are asked for and changed, each on its own', () => {
  const text = rule(
    'targets: [{apiVersion: v1, kind: Secret, namespace: "{{ request.namespace }}", name: "s-*", preconditions: {all: [{key: "{{ target.metadata.name }}", operator: NotEquals, value: s-3}]}}]\npatchStrategicMerge: {metadata: {labels: {from: "{{ request.object.metadata.name }}"}}}\n',
  )
  const policy = policyFrom(text)
  const need = { what: 'objects', apiVersion: 'v1', kind: 'Secret', namespace: 'team-a' } as const
  expect(policy.evaluate('mutate-existing', creating(pod()), worldWith()).needs).toEqual([need])
  const secret = (name: string): KubeObject & Record<string, never> =>
    objectFrom(`{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: team-a}}`) as KubeObject &
      Record<string, never>
  const answer = policy.evaluate(
    'mutate-existing',
    creating(pod()),
    worldWith([[need, [secret('s-1'), secret('other'), secret('s-3')]]]),
  )
  expect(answer.rules.map(({ verdict, patchedTarget }) => [verdict, patchedTarget?.after.metadata.labels])).toEqual([
    ['pass', { from: 'web' }],
    ['skip', undefined],
  ])
})

test('a merge patch is done once, whatever it holds', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean())
  const content = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,4}$/),
    fc.oneof(value, fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), value)),
  )
  fc.assert(
    fc.property(content, content, (patch, data) => {
      const object = { ...pod(), data } as KubeObject
      const text = rule(`patchStrategicMerge: ${JSON.stringify({ data: patch })}\n`)
      const policy = policyFrom(text)
      const once = policy.evaluate('mutate', creating(object), worldWith()).object
      const twice = once && policy.evaluate('mutate', creating(once), worldWith()).object
      expect(twice).toEqual(once)
    }),
    { numRuns: 50 },
  )
})

test('verdicts and patches do not depend on the order in which policies are given', () => {
  const named = (name: string, text: string): CompiledPolicy => {
    const { source } = policyFrom(text)
    return compilePolicy({ ...source, metadata: { name } }, schemas)
  }
  const policies = [
    named('a', rule('patchStrategicMerge: {metadata: {labels: {first: a}}}\n')),
    named('b', rule('patchStrategicMerge: {metadata: {labels: {"+(first)": b, second: b}}}\n')),
    named(
      'c',
      '  - name: r\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    validate: {message: "{{ request.object.metadata.labels.second }}", deny: {}}\n',
    ),
  ]
  const ask = (given: readonly CompiledPolicy[]): unknown => {
    const set = new PolicySet(given)
    const changed = set.evaluate('mutate', creating(pod()), worldWith())
    return [changed, set.evaluate('validate', creating(changed.object ?? pod()), worldWith())]
  }
  fc.assert(
    fc.property(fc.shuffledSubarray(policies, { minLength: 3 }), (given) => {
      expect(ask(given)).toEqual(ask(policies))
    }),
  )
})
