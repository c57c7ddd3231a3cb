import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import {
  rulesForBackground,
  rulesForExisting,
  synchronizedRules,
  triggersOnDelete,
  vanishingRules,
} from './policy-facets.ts'

const classic = (...rules: readonly object[]): KubeObject => ({
  apiVersion: 'kyverno.io/v1',
  kind: 'ClusterPolicy',
  metadata: { name: 'p' },
  spec: { rules: rules.map((rule, index) => ({ name: `r${index}`, ...rule })) },
})
const cel = (evaluation: object): KubeObject => ({
  apiVersion: 'policies.kyverno.io/v1beta1',
  kind: 'GeneratingPolicy',
  metadata: { name: 'g' },
  spec: { evaluation },
})
const data = { data: { a: 'b' }, synchronize: true }

test.each<[string, KubeObject, readonly string[], readonly string[]]>([
  ['data follows its policy to the end', classic({ generate: data }), ['r0'], ['r0']],
  ['an orphan stays', classic({ generate: { ...data, orphanDownstreamOnPolicyDelete: true } }), ['r0'], []],
  ['a copy stays', classic({ generate: { clone: { name: 'a' }, synchronize: true } }), ['r0'], []],
  ['data in a loop goes', classic({ generate: { foreach: [{ data: {} }], synchronize: true } }), ['r0'], ['r0']],
  ['what is not synchronized stays', classic({ generate: { data: {} } }), [], []],
  ['a policy in CEL has one rule of its name', cel({ synchronize: { enabled: true } }), ['g'], ['g']],
  [
    'its orphans stay',
    cel({ synchronize: { enabled: true }, orphanDownstreamOnPolicyDelete: { enabled: true } }),
    ['g'],
    [],
  ],
])('%s', (_name, policy, followed, vanishing) => {
  expect([...synchronizedRules(policy)]).toEqual(followed)
  expect([...vanishingRules(policy)]).toEqual(vanishing)
})

test('a rule says whether the background and what is there already set it off', () => {
  const policy = classic(
    { generate: { ...data, generateExisting: true } },
    { mutate: { mutateExistingOnPolicyUpdate: false }, skipBackgroundRequests: false },
  )
  expect(rulesForExisting(policy)).toEqual(['r0'])
  expect(rulesForBackground(policy)).toEqual(['r1'])
})

test('deletions set a policy off only where it says so', () => {
  const matching = (operations: readonly string[]): KubeObject =>
    classic({ match: { any: [{ resources: { operations } }] } })
  expect(triggersOnDelete(matching(['CREATE', 'DELETE']))).toBe(true)
  expect(triggersOnDelete(matching(['CREATE']))).toBe(false)
  expect(triggersOnDelete(classic({}))).toBe(false)
})
