import { describe, expect, test } from 'vitest'
import type { Json } from '../../lib/json.ts'
import type { FactNeed } from '../engine/fact.ts'
import { creating, objectOf, policyFrom, said, worldOf } from './cel.testkit.ts'

const policy = (spec: string, kind = 'ValidatingAdmissionPolicy'): string => `
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}
metadata: { name: rules }
spec:
  matchConstraints:
    resourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps] } ]
${spec}`
const binding = (spec: string, kind = 'ValidatingAdmissionPolicy'): ReturnType<typeof objectOf> =>
  objectOf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}Binding
metadata: { name: bound }
spec:
  policyName: rules
${spec}`)
const map = objectOf(
  '{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: team }, data: { x: "1", z: "2" } }',
)

const judge = (
  text: string,
  bindings: readonly ReturnType<typeof objectOf>[] = [],
  facts: readonly (readonly [FactNeed, Json])[] = [],
): ReturnType<ReturnType<typeof policyFrom>['evaluate']> => {
  const phase = text.includes('kind: Mutating') ? 'mutate' : 'validate'
  return policyFrom(text).evaluate(phase, creating(map), { ...worldOf(facts), bindings })
}

describe('a ValidatingAdmissionPolicy asked like a policy', () => {
  test.each<[string, string, readonly string[]]>([
    ['passes', '  validations: [ { expression: "size(object.data) == 2" } ]', ['pass: ']],
    ['fails with its message', '  validations: [ { expression: "false", message: refused } ]', ['fail: refused']],
    [
      'fails with the expression',
      '  validations: [ { expression: "size(object.data) > 2" } ]',
      ['fail: failed expression: size(object.data) > 2'],
    ],
    [
      'is skipped by a condition',
      '  matchConditions: [ { name: a, expression: "false" } ]\n  validations: [ { expression: "false" } ]',
      ["skip: match conditions aren't met"],
    ],
    [
      'errs',
      '  validations: [ { expression: "object.nope == 1" } ]',
      ["error: expression 'object.nope == 1' resulted in error: no such key: nope"],
    ],
    [
      'passes over errors where it says so',
      '  failurePolicy: Ignore\n  validations: [ { expression: "object.nope == 1" } ]',
      ['pass: '],
    ],
  ])('%s', (_name, spec, want) => expect(said(judge(policy(spec)))).toEqual(want))

  test('is asked where a binding says so', () => {
    const text = policy('  validations: [ { expression: "false" } ]')
    expect(judge(text, [binding('  validationActions: [Warn]')]).rules).toMatchObject([
      { action: 'Audit', isWarned: true },
    ])
    expect(judge(text, [binding('  matchResources: { objectSelector: { matchLabels: { a: b } } }')]).rules).toEqual([])
  })

  describe('with parameters', () => {
    const text = policy(`  paramKind: { apiVersion: v1, kind: ConfigMap }
  validations: [ { expression: "size(object.data) <= int(params.data.most)", message: many } ]`)
    const need = { what: 'object', apiVersion: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'limits' } as const
    const bound = binding('  paramRef: { name: limits, parameterNotFoundAction: Deny }')
    test('asks for them', () => expect(judge(text, [bound]).needs).toEqual([need]))
    test.each<[string, Json, readonly string[]]>([
      ['fails', { data: { most: '1' } }, ['fail: many']],
      ['passes', { data: { most: '2' } }, ['pass: ']],
      [
        'errs without',
        null,
        ['error: failed to configure policy: no params found for policy binding with `Deny` parameterNotFoundAction'],
      ],
    ])('%s', (_name, params, want) => expect(said(judge(text, [bound], [[need, params]]))).toEqual(want))
  })
})

describe('a MutatingAdmissionPolicy asked like a policy', () => {
  const text = policy(
    `  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"seen": "yes"}}}' }
    - patchType: JSONPatch
      jsonPatch: { expression: '[JSONPatch{op: "replace", path: "/data/x", value: object.metadata.labels.seen}]' }`,
    'MutatingAdmissionPolicy',
  )
  test('changes the object, step by step', () => {
    expect(judge(text)).toMatchObject({
      rules: [{ rule: 'rules', verdict: 'pass', message: 'mutation is successfully applied' }],
      object: { metadata: { labels: { seen: 'yes' } }, data: { x: 'yes', z: '2' } },
    })
  })

  test('sees the parameters of a selector as a list', () => {
    const need = { what: 'objects', apiVersion: 'v1', kind: 'ConfigMap', namespace: 'team', selector: 'a=b' } as const
    const listed = policy(
      `  paramKind: { apiVersion: v1, kind: ConfigMap }
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration: { expression: 'Object{data: {"w": params.items[0].data.w}}' }`,
      'MutatingAdmissionPolicy',
    )
    const bound = binding('  paramRef: { selector: { matchLabels: { a: b } } }', 'MutatingAdmissionPolicy')
    expect(judge(listed, [bound], [[need, [{ data: { w: '3' } }]]])).toMatchObject({
      object: { data: { x: '1', w: '3' } },
    })
  })

  test('is said not to be applied to what a background scan finds unchanged', () => {
    const answer = policyFrom(text).evaluate('mutate', creating(map, { source: 'background' }), worldOf())
    expect(said(answer)).toEqual(['fail: mutation is not applied'])
  })
})
