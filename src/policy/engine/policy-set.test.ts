import { describe, expect, test } from 'vitest'
import type { CompiledPolicy, Concern, Phase, PolicyWorld } from './compiled-policy.ts'
import { noFacts } from './fact.ts'
import { nobody, type PolicyRequest } from './policy-request.ts'
import { PolicySet } from './policy-set.ts'
import { matchesWildcard } from './wildcard.ts'

const world: PolicyWorld = { facts: noFacts, exceptions: [], now: () => 0, ids: { bytes: () => new Uint8Array() } }

const request: PolicyRequest = {
  source: 'admission',
  operation: 'CREATE',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  name: 'web',
  namespace: 'team-a',
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'team-a' } },
  user: nobody,
}

const anyPod: Concern = { group: '*', version: '*', kind: 'Pod', subresource: '', operations: ['CREATE', 'UPDATE'] }

function policy(
  name: string,
  concern: Concern,
  namespace?: string,
  phases: readonly Phase[] = ['mutate'],
): CompiledPolicy {
  const identity = { apiVersion: 'kyverno.io/v1', kind: 'Policy', name, ...(namespace ? { namespace } : {}) }
  return {
    identity,
    source: { apiVersion: 'kyverno.io/v1', kind: 'Policy', metadata: { name } },
    phases: new Set(phases),
    concerns: [concern],
    isAdmission: true,
    isBackground: true,
    failurePolicy: 'Fail',
    warnings: [],
    evaluate: (_, { object }) => ({
      policy: identity,
      rules: [{ rule: name, ruleType: 'Mutation', verdict: 'pass', message: '' }],
      ...(object ? { object: { ...object, seen: [...((object['seen'] as string[] | undefined) ?? []), name] } } : {}),
      needs: [{ what: 'host', name: 'same.example' }],
    }),
  }
}

describe('a policy is found', () => {
  test.each([
    { name: 'by its kind', concern: anyPod, found: true },
    { name: 'by a pattern of kinds', concern: { ...anyPod, kind: 'Po?' }, found: true },
    { name: 'by a pattern of everything', concern: { ...anyPod, kind: '*' }, found: true },
    { name: 'not for another group', concern: { ...anyPod, group: 'apps' }, found: false },
    { name: 'not for a subresource', concern: { ...anyPod, subresource: 'status' }, found: false },
    { name: 'not for another operation', concern: { ...anyPod, operations: ['DELETE'] as const }, found: false },
    { name: 'in its own namespace', concern: anyPod, namespace: 'team-a', found: true },
    { name: 'in no other namespace', concern: anyPod, namespace: 'team-b', found: false },
  ])('$name', ({ concern, namespace, found }) => {
    const set = new PolicySet([policy('p', concern, namespace)])
    expect(set.concerned('mutate', request)).toHaveLength(found ? 1 : 0)
    expect(set.concerned('validate', request)).toHaveLength(0)
  })
})

test('mutations follow each other by name, whatever the order in which policies were given; a need is told once', () => {
  const given = [policy('c', anyPod, 'team-a'), policy('b', { ...anyPod, kind: '*' }), policy('a', anyPod)]
  for (const policies of [given, given.toReversed()]) {
    const answer = new PolicySet(policies).evaluate('mutate', request, world)
    expect(answer.object?.['seen']).toEqual(['a', 'b', 'c'])
    expect(answer.needs).toEqual([{ what: 'host', name: 'same.example' }])
  }
})

test.each([
  ['*', '', true],
  ['a*c', 'abbc', true],
  ['a?c', 'abbc', false],
  ['?', '', false],
  ['*-system', 'kube-system', true],
  ['', 'a', false],
])('%j as a wildcard against %j: %j', (pattern, text, want) => expect(matchesWildcard(pattern, text)).toBe(want))
