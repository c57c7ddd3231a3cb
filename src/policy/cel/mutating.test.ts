import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { ask, creating, objectOf, policyFrom, said, worldOf } from './cel.testkit.ts'
import { celFamily, compileCelPolicy } from './cel-family.ts'

const policy = (spec: string): string => `
apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: { name: change }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods] }
${spec}`
const apply = (expression: string): string =>
  `  mutations: [ { patchType: ApplyConfiguration, applyConfiguration: { expression: ${JSON.stringify(expression)} } } ]`
const patch = (expression: string): string =>
  `  mutations: [ { patchType: JSONPatch, jsonPatch: { expression: ${JSON.stringify(expression)} } } ]`
const pod = objectOf(`
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: team, labels: { app: web } }
spec: { containers: [ { name: web, image: 'nginx:1.2' }, { name: side, image: 'side' } ] }`)
const deployment = objectOf(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: team }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [ { name: web, image: nginx } ] } } }`)

function mutated(spec: string, object: KubeObject = pod): unknown {
  const answer = ask(policyFrom(policy(spec)), object, worldOf(), 'mutate')
  return answer.rules[0]?.verdict === 'pass' ? answer.object : said(answer)
}

describe('a MutatingPolicy', () => {
  test.each<[string, string, object]>([
    [
      'merges what it makes',
      apply('Object{metadata: Object.metadata{labels: Object.metadata.labels{team: "a"}}}'),
      { metadata: { labels: { app: 'web', team: 'a' } } },
    ],
    [
      'finds list items by their key',
      apply(
        'Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, imagePullPolicy: "Always"})}}',
      ),
      {
        spec: {
          containers: [
            { name: 'web', image: 'nginx:1.2', imagePullPolicy: 'Always' },
            { name: 'side', image: 'side', imagePullPolicy: 'Always' },
          ],
        },
      },
    ],
    [
      'leaves out what is optional and absent',
      apply('Object{metadata: Object.metadata{?annotations: optional.none(), labels: {"x": "1"}}}'),
      { metadata: { labels: { app: 'web', x: '1' } } },
    ],
    [
      'carries out a JSON patch',
      patch('[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b"), value: "1"}]'),
      { metadata: { labels: { app: 'web', 'a/b': '1' } } },
    ],
    [
      'puts objects into a JSON patch',
      patch('[JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: "n", image: "i"}}]'),
      { spec: { containers: [{ name: 'web' }, { name: 'side' }, { name: 'n', image: 'i' }] } },
    ],
    [
      'leaves alone what a test does not hold for',
      patch('[JSONPatch{op: "test", path: "/metadata/name", value: "x"}, JSONPatch{op: "remove", path: "/spec"}]'),
      { metadata: { name: 'web', labels: { app: 'web' } }, spec: pod['spec'] as object },
    ],
    [
      'lets a mutation see what the one before made',
      `  mutations:
    - { patchType: JSONPatch, jsonPatch: { expression: '[JSONPatch{op: "add", path: "/metadata/labels/a", value: "1"}]' } }
    - { patchType: JSONPatch, jsonPatch: { expression: '[JSONPatch{op: "add", path: "/metadata/labels/b", value: object.metadata.labels.a + "2"}]' } }`,
      { metadata: { labels: { a: '1', b: '12' } } },
    ],
  ])('%s', (_name, spec, want) => expect(mutated(spec)).toMatchObject(want))

  test('is the same object where nothing changes', () => {
    expect(mutated(apply('Object{metadata: Object.metadata{labels: {"app": "web"}}}'))).toBe(pod)
  })

  test.each([
    [
      'a part that is called after another place',
      apply('Object{spec: Object.metadata{}}'),
      /type mismatch: unexpected type name/,
    ],
    [
      'a list that can only be replaced',
      apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "web", args: ["a"]}]}}'),
      /may not mutate atomic/,
    ],
  ])('errs with %s', (_name, spec, message) => expect(String(mutated(spec))).toMatch(message))

  test('may replace lists where it applies as the server does', () => {
    const spec = `  evaluation: { useServerSideApply: true }\n${apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "web", args: ["a"]}]}}')}`
    expect(mutated(spec)).toMatchObject({ spec: { containers: [{ name: 'web', args: ['a'] }, { name: 'side' }] } })
  })

  test('changes Pod templates where it is written for Pods', () => {
    const spec = apply(
      'Object{metadata: Object.metadata{labels: {"x": "1"}}, spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, image: "new"})}}',
    )
    // What upstream's rewriting makes of the metadata does not fit its path, and is told.
    expect(String(mutated(spec, deployment))).toMatch(/type mismatch/)
    const fitting = apply(
      'Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, image: "new"})}}',
    )
    expect(mutated(fitting, deployment)).toMatchObject({
      spec: { template: { spec: { containers: [{ name: 'web', image: 'new' }] } } },
    })
  })

  test('asks its conditions, which may read variables', () => {
    const spec = `  variables: [ { name: own, expression: "object.metadata.name" } ]
  matchConditions: [ { name: a, expression: "variables.own == 'other'" } ]
${apply('Object{}')}`
    expect(mutated(spec)).toEqual(['skip: skip'])
  })
})

describe('existing objects', () => {
  const spec = (more: string): string => `  evaluation: { mutateExisting: { enabled: true } }
${more}
${apply('Object{metadata: Object.metadata{labels: {"seen": object.metadata.name}}}')}`
  const map = objectOf('{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: team } }')

  test('are looked for by constraints', () => {
    const compiled = policyFrom(
      policy(
        spec(`  targetMatchConstraints:
    resourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [configmaps] } ]
  targetMatchConditions: [ { name: a, expression: "object.metadata.name != 'b'" } ]`),
      ),
    )
    const need = { what: 'resources', apiVersion: 'v1', plural: 'configmaps' } as const
    expect(compiled.evaluate('mutate-existing', creating(pod), worldOf()).needs).toEqual([need])
    const other = { ...map, metadata: { ...map.metadata, name: 'b' } }
    const answer = compiled.evaluate(
      'mutate-existing',
      creating(pod),
      worldOf([[need, { items: [map, other] } as never]]),
    )
    expect(answer.rules).toMatchObject([
      { verdict: 'pass', patchedTarget: { before: map, after: { metadata: { labels: { seen: 'a' } } } } },
      { verdict: 'skip' },
    ])
  })

  test('are what an expression answers', () => {
    const compiled = policyFrom(
      policy(
        spec(
          `  targetMatchConstraints: { expression: "resource.get('v1', 'configmaps', object.metadata.namespace, 'a')" }`,
        ),
      ),
    )
    const need = { what: 'resource', apiVersion: 'v1', plural: 'configmaps', namespace: 'team', name: 'a' } as const
    const answer = compiled.evaluate('mutate-existing', creating(pod), worldOf([[need, map as never]]))
    expect(answer.rules).toMatchObject([{ verdict: 'pass', patchedTarget: { after: { metadata: { name: 'a' } } } }])
  })

  test('are those of the background scan itself', () => {
    const answer = policyFrom(policy(spec(''))).evaluate(
      'mutate-existing',
      creating(pod, { source: 'background' }),
      worldOf(),
    )
    expect(answer.rules).toMatchObject([{ patchedTarget: { after: { metadata: { labels: { seen: 'web' } } } } }])
  })
})

test('a policy that is never asked is refused', () => {
  const object = objectOf(policy(`  evaluation: { admission: { enabled: false } }\n${apply('Object{}')}`))
  expect(celFamily.lint(object)).toMatchObject([{ at: 'spec.evaluation' }])
})

test.each([
  ['an expression of another type', apply('"text"'), 'spec.mutations[0].applyConfiguration.expression'],
  ['a patch that is no list', patch('JSONPatch{}'), 'spec.mutations[0].jsonPatch.expression'],
  ['a field that a patch does not have', patch('[JSONPatch{nope: 1}]'), 'spec.mutations[0].jsonPatch.expression:1:16'],
  ['a mutation of no type', '  mutations: [ {} ]', 'spec.mutations[0]'],
])('%s is refused', (_name, spec, at) => {
  expect(compileCelPolicy(objectOf(policy(spec)))).toMatchObject({
    ok: false,
    error: [{ at: expect.stringContaining(at) }],
  })
})
