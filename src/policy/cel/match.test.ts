import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { PolicySet } from '../engine/policy-set.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import { creating, objectOf, policyFrom, worldOf } from './cel.testkit.ts'
import { compileMatch, concernsOf, type MatchRule } from './match.ts'
import { guessPlural } from './plural.ts'

const pod = objectOf('{ apiVersion: v1, kind: Pod, metadata: { name: web, namespace: team } }')
const pods: MatchRule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }

function matches(rule: MatchRule, request: PolicyRequest): boolean {
  const compiled = compileMatch({ resourceRules: [rule] }, 'spec.matchConstraints')
  return compiled.ok && compiled.value(request)
}

test.each<[string, MatchRule, Partial<PolicyRequest>, boolean]>([
  ['the same collection', pods, {}, true],
  ['another operation', pods, { operation: 'DELETE' }, false],
  ['any operation', { ...pods, operations: ['*'] }, { operation: 'DELETE' }, true],
  ['another version', { ...pods, apiVersions: ['v2'] }, {}, false],
  ['any group and version', { ...pods, apiGroups: ['*'], apiVersions: ['*'] }, {}, true],
  ['a subresource that is not named', pods, { subresource: 'status' }, false],
  ['a subresource that is named', { ...pods, resources: ['pods/status'] }, { subresource: 'status' }, true],
  ['any subresource', { ...pods, resources: ['pods/*'] }, { subresource: 'exec' }, true],
  ['everything with subresources', { ...pods, resources: ['*/*'] }, { subresource: 'exec' }, true],
  ['everything without', { ...pods, resources: ['*'] }, { subresource: 'exec' }, false],
  ['a name', { ...pods, resourceNames: ['web'] }, {}, true],
  ['another name', { ...pods, resourceNames: ['db'] }, {}, false],
  ['what is in a namespace', { ...pods, scope: 'Namespaced' }, {}, true],
  ['what is in none', { ...pods, scope: 'Cluster' }, {}, false],
  ['a rule that says nothing', {}, {}, false],
])('%s', (_name, rule, more, want) => expect(matches(rule, creating(pod, more))).toBe(want))

test('what has no name yet is known by what its name begins with', () => {
  const generated: KubeObject = { ...pod, metadata: { generateName: 'web-', namespace: 'team' } }
  expect(matches({ ...pods, resourceNames: ['web'] }, creating(generated))).toBe(true)
  expect(matches({ ...pods, resourceNames: ['db'] }, creating(generated))).toBe(false)
})

test('a Namespace is in no namespace, and is chosen by its own labels', () => {
  const namespace = objectOf('{ apiVersion: v1, kind: Namespace, metadata: { name: team, labels: { tier: gold } } }')
  const rule = { ...pods, resources: ['namespaces'] }
  const request = creating(namespace, { namespace: 'team' })
  expect(matches({ ...rule, scope: 'Cluster' }, request)).toBe(true)
  const selected = compileMatch({ resourceRules: [rule], namespaceSelector: { matchLabels: { tier: 'gold' } } }, 'x')
  expect(selected.ok && selected.value(request)).toBe(true)
})

test('common kinds are looked up by kind, others by their plural', () => {
  expect(concernsOf({ resourceRules: [pods] })).toMatchObject([{ kind: 'Pod', subresource: '' }])
  expect(concernsOf({ resourceRules: [{ ...pods, resources: ['pods/exec'] }] })).toMatchObject([{ plural: 'pods' }])
  const widgets = { ...pods, apiGroups: ['example.com'], resources: ['widgets'] }
  expect(concernsOf({ resourceRules: [widgets] })).toMatchObject([{ plural: 'widgets' }])
})

test('a set finds policies in CEL whichever way they name what they are about', () => {
  const about = (resources: string): ReturnType<typeof policyFrom> =>
    policyFrom(`
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: p }
spec:
  matchConstraints: { resourceRules: [ { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['${resources}'] } ] }
  validations: [ { expression: "true" } ]`)
  for (const [resources, count] of [
    ['pods', 1],
    ['*', 1],
    ['secrets', 0],
  ] as const) {
    const answer = new PolicySet([about(resources)]).evaluate('validate', creating(pod), worldOf())
    expect(answer.policies).toHaveLength(count)
  }
})

test.each([
  ['Pod', 'pods'],
  ['Ingress', 'ingresses'],
  ['NetworkPolicy', 'networkpolicies'],
  ['Endpoints', 'endpoints'],
])('the plural of %s is %s', (kind, plural) => expect(guessPlural(kind)).toBe(plural))
