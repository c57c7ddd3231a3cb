import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import type { Attributes } from './attributes.ts'
import { describeDenied } from './attributes.ts'
import { escalation, uncovered } from './escalation.ts'
import { aggregateRules, authorize, compileRbac, type PolicyRule } from './rbac.ts'

const role = (name: string, rules: readonly PolicyRule[], namespace?: string): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace ? 'Role' : 'ClusterRole',
  metadata: { name, ...(namespace ? { namespace } : {}) },
  rules,
})
const binding = (name: string, ref: string, subjects: readonly unknown[], namespace?: string): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
  metadata: { name, ...(namespace ? { namespace } : {}) },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: ref.startsWith('role/') ? 'Role' : 'ClusterRole',
    name: ref.replace('role/', ''),
  },
  subjects,
})
const user = (name: string): unknown => ({ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' })

const pods: PolicyRule = { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] }
const index = compileRbac({
  clusterRoles: [
    role('reader', [pods]),
    role('paths', [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/metrics/*'] }]),
    role('scaler', [{ apiGroups: ['*'], resources: ['*/scale'], verbs: ['*'] }]),
    { ...role('all-readers', []), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { collect: 'yes' } }] } },
    {
      ...role('extra', [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }]),
      metadata: { name: 'extra', labels: { collect: 'yes' } },
    },
  ],
  roles: [
    role(
      'one-map',
      [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['settings'], verbs: ['get', 'update'] }],
      'team',
    ),
  ],
  clusterRoleBindings: [
    binding('a', 'reader', [user('ann'), { kind: 'Group', name: 'ops' }]),
    binding('b', 'paths', [{ kind: 'Group', name: 'system:authenticated' }]),
    binding('c', 'all-readers', [user('cid')]),
    binding('broken', 'no-such-role', [user('eve')]),
  ],
  roleBindings: [
    binding('d', 'role/one-map', [{ kind: 'ServiceAccount', name: 'bot' }], 'team'),
    binding('e', 'scaler', [{ kind: 'ServiceAccount', name: 'bot', namespace: 'ci' }], 'team'),
  ],
})

const asks = (who: string, verb: string, what: string, more: Partial<Attributes> = {}): Attributes => {
  const [plural = '', subresource] = what.split('/')
  return {
    user: { username: who, groups: ['system:authenticated'] },
    verb,
    group: '',
    version: 'v1',
    plural,
    ...(subresource ? { subresource } : {}),
    ...more,
  }
}
const bot = 'system:serviceaccount:team:bot'

describe('authorize', () => {
  test.each([
    ['a cluster role holds in every namespace', asks('ann', 'get', 'pods', { namespace: 'x' }), true],
    ['and at the cluster scope', asks('ann', 'list', 'pods'), true],
    ['a subresource must be listed', asks('ann', 'get', 'pods/exec'), false],
    ['a listed subresource is allowed', asks('ann', 'get', 'pods/log'), true],
    ['a verb must be listed', asks('ann', 'delete', 'pods'), false],
    ['another group is not meant', asks('ann', 'get', 'pods', { group: 'metrics.k8s.io' }), false],
    ['groups count', { ...asks('dan', 'get', 'pods'), user: { username: 'dan', groups: ['ops'] } }, true],
    ['a role holds in its namespace', asks(bot, 'get', 'configmaps', { namespace: 'team', name: 'settings' }), true],
    ['only for the names it lists', asks(bot, 'get', 'configmaps', { namespace: 'team', name: 'other' }), false],
    ['a named rule does not allow the collection', asks(bot, 'get', 'configmaps', { namespace: 'team' }), false],
    ['not in another namespace', asks(bot, 'get', 'configmaps', { namespace: 'other', name: 'settings' }), false],
    [
      'any resource by its subresource',
      asks('system:serviceaccount:ci:bot', 'update', 'deployments/scale', { group: 'apps', namespace: 'team' }),
      true,
    ],
    [
      'but not the resource itself',
      asks('system:serviceaccount:ci:bot', 'update', 'deployments', { group: 'apps', namespace: 'team' }),
      false,
    ],
    ['aggregated rules count', asks('cid', 'get', 'deployments', { group: 'apps' }), true],
    ['a binding to no role gives nothing', asks('eve', 'get', 'pods'), false],
    [
      'masters may do everything',
      { ...asks('root', 'nuke', 'pods'), user: { username: 'root', groups: ['system:masters'] } },
      true,
    ],
  ] satisfies [string, Attributes, boolean][])('%s', (_name, attributes, allowed) => {
    expect(authorize(index, attributes).allowed).toBe(allowed)
  })

  test.each([
    ['/healthz', true],
    ['/metrics/x', true],
    ['/metrics', false],
    ['/api', false],
  ])('path %s for everybody: %s', (path, allowed) => {
    expect(
      authorize(index, { user: { username: 'x', groups: ['system:authenticated'] }, verb: 'get', path }).allowed,
    ).toBe(allowed)
  })

  test('an allowance names its binding, a denial what was asked', () => {
    expect(authorize(index, asks('ann', 'get', 'pods')).because).toBe(
      'RBAC: allowed by ClusterRoleBinding "a" of ClusterRole "reader" to User "ann"',
    )
    expect(describeDenied(asks('eve', 'get', 'pods/log', { namespace: 'x' }))).toBe(
      'User "eve" cannot get resource "pods/log" in API group "" in the namespace "x"',
    )
  })
})

describe('escalation', () => {
  test.each([
    ['the same rule is held', [pods], [pods], 0],
    ['a star covers every verb', [{ ...pods, verbs: ['*'] }], [pods], 0],
    ['a star is not covered by a list', [pods], [{ ...pods, verbs: ['*'] }], 2],
    ['a star of resources covers subresources', [{ ...pods, resources: ['*'] }], [pods], 0],
    [
      'any group',
      [{ ...pods, apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
      [{ apiGroups: ['apps'], resources: ['*/scale'], verbs: ['get'] }],
      0,
    ],
    [
      'names narrow what is held',
      [{ ...pods, resourceNames: ['a'] }],
      [{ ...pods, resources: ['pods'], verbs: ['get'] }],
      1,
    ],
    ['a narrower wish is covered', [pods], [{ ...pods, resourceNames: ['a'] }], 0],
    [
      'rules add up',
      [
        { ...pods, verbs: ['get'] },
        { ...pods, verbs: ['list'] },
      ],
      [pods],
      0,
    ],
    [
      'paths',
      [{ verbs: ['get'], nonResourceURLs: ['/a/*'] }],
      [{ verbs: ['get'], nonResourceURLs: ['/a/b', '/c'] }],
      1,
    ],
  ] satisfies [string, PolicyRule[], PolicyRule[], number][])('%s', (_name, held, wanted, missing) => {
    expect(uncovered(held, wanted)).toHaveLength(missing)
  })

  test('what a user holds in a namespace may be given there and not elsewhere', () => {
    const wanted: PolicyRule[] = [
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['settings'], verbs: ['get'] },
    ]
    const who = { username: bot, groups: [] }
    expect(escalation(index, who, 'team', wanted)).toEqual([])
    expect(escalation(index, who, 'other', wanted)).toEqual(wanted)
  })
})

test('aggregation collects rules once and survives a cycle', () => {
  const collect = { clusterRoleSelectors: [{ matchLabels: { collect: 'yes' } }] }
  const a = { ...role('a', []), metadata: { name: 'a', labels: { collect: 'yes' } }, aggregationRule: collect }
  const b = { ...role('b', [pods]), metadata: { name: 'b', labels: { collect: 'yes' } } }
  const c = { ...role('c', [pods]), metadata: { name: 'c', labels: { collect: 'yes' } } }
  const top = { ...role('top', []), aggregationRule: collect }
  expect(aggregateRules(top, [a, b, c, top])).toEqual([pods])
  expect(aggregateRules(b, [a, b, c])).toBeUndefined()
})
