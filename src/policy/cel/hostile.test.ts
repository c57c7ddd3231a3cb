import { describe, expect, test } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { ask, objectOf, policyFrom, said, worldOf } from './cel.testkit.ts'

const pod = objectOf(
  '{ apiVersion: v1, kind: Pod, metadata: { name: a, namespace: team, labels: { __proto__: x, constructor: c } } }',
)
const need = { what: 'global-context', name: 'deep' } as const

function nested(levels: number): Json {
  let value: Json = 'end'
  for (let level = 0; level < levels; level++) value = { a: value }
  return value
}

const policy = (kind: string, spec: string): string => `
apiVersion: policies.kyverno.io/v1
kind: ${kind}
metadata: { name: hostile }
spec:
  matchConstraints: { resourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods] } ] }
${spec}`

describe('a value that nests very deep is an error, not a crash', () => {
  const deep = worldOf([[need, nested(100_000)]])
  test.each([
    [
      'ValidatingPolicy',
      'validate',
      `  validations: [ { expression: "json.marshal(globalContext.get('deep')) == ''" } ]`,
    ],
    [
      'ValidatingPolicy',
      'validate',
      `  validations: [ { expression: "globalContext.get('deep') == {'a': {'a': dyn(1)}}" } ]`,
    ],
    [
      'MutatingPolicy',
      'mutate',
      `  mutations: [ { patchType: JSONPatch, jsonPatch: { expression: '[JSONPatch{op: "add", path: "/data", value: globalContext.get("deep")}]' } } ]`,
    ],
    [
      'MutatingPolicy',
      'mutate',
      `  mutations: [ { patchType: ApplyConfiguration, applyConfiguration: { expression: 'Object{data: globalContext.get("deep")}' } } ]`,
    ],
    [
      'GeneratingPolicy',
      'generate',
      `  generate: [ { template: { interpolate: cel, value: "{ apiVersion: v1, kind: ConfigMap, data: (( globalContext.get('deep') )) }" } } ]`,
    ],
    [
      'GeneratingPolicy',
      'generate',
      `  generate: [ { expression: "generator.apply('x', [globalContext.get('deep')])" } ]`,
    ],
  ] as const)('%s %s %s', (kind, phase, spec) => {
    const [answer = ''] = said(ask(policyFrom(policy(kind, spec)), pod, deep, phase))
    expect(answer).toMatch(/^(error|fail): /)
  })
})

test('names of prototypes are data', () => {
  const spec = `  validations: [ { expression: "object.metadata.labels['constructor'] == 'c' && !('toString' in object.metadata.labels)" } ]`
  expect(said(ask(policyFrom(policy('ValidatingPolicy', spec)), pod))).toEqual(['pass: success'])
})

test('a chain of very many variables ends in an answer', () => {
  const variables = Array.from({ length: 3_000 }, (_, at) => {
    return `    - { name: v${at}, expression: "${at === 0 ? '1' : `variables.v${at - 1} + 1`}" }`
  })
  const spec = `  variables:\n${variables.join('\n')}\n  validations: [ { expression: "variables.v2999 == 3000" } ]`
  const [answer = ''] = said(ask(policyFrom(policy('ValidatingPolicy', spec)), pod))
  expect(answer).toMatch(/^(pass|error): /)
})
