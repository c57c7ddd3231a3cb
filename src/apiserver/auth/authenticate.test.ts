import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { clusterOf, outcomeOf, writing } from '../admission/plugins.testkit.ts'
import { rbacEscalation } from '../admission/rbac-escalation.ts'
import type { ResourceAttributes } from './attributes.ts'
import { type AuthenticationPorts, authenticate, hashToken, impersonate, system } from './authenticate.ts'
import { RbacAuthorizer } from './authorizer.ts'
import { answerReview } from './reviews.ts'
import { issueToken, newSigningKey, readTokenKeys, type TokenRequest } from './service-account-tokens.ts'

const nowMs = Date.UTC(2026, 0, 1)
const keys = readTokenKeys([newSigningKey()])
const account: KubeObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'bot', namespace: 'team', uid: 'u1' },
}
const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', namespace: 'team', uid: 'p1' } }
const ports: AuthenticationPorts = {
  staticTokens: new Map([[hashToken('open sesame'), { username: 'admin', groups: ['system:masters'] }]]),
  tokenKeys: keys,
  reader: clusterOf({ serviceaccounts: [account], pods: [pod] }),
  nowMs: () => nowMs,
}
const request: TokenRequest = {
  namespace: 'team',
  serviceAccount: { name: 'bot', uid: 'u1' },
  audiences: [],
  expirationSeconds: 600,
}
const token = (more: Partial<TokenRequest> = {}): string =>
  issueToken(keys, { ...request, ...more }, { nowMs, id: 'j' })
const nameOf = (result: ReturnType<typeof authenticate>): string =>
  result.ok ? result.value.username : `${result.error.code}`

describe('authenticate', () => {
  test.each([
    ['nobody', {}, 'system:anonymous'],
    ['a certificate', { certificate: { commonName: 'ann', organizations: ['ops'] } }, 'ann'],
    ['a static token', { bearer: 'open sesame' }, 'admin'],
    ['a wrong token', { bearer: 'open' }, '401'],
    [
      'a wrong token beside a certificate',
      { bearer: 'x', certificate: { commonName: 'ann', organizations: [] } },
      '401',
    ],
    ['a ServiceAccount', { bearer: token() }, 'system:serviceaccount:team:bot'],
    [
      'bound to a Pod',
      { bearer: token({ bound: { kind: 'pod', to: { name: 'web-1', uid: 'p1' } } }) },
      'system:serviceaccount:team:bot',
    ],
    [
      'bound to a Pod that is another by now',
      { bearer: token({ bound: { kind: 'pod', to: { name: 'web-1', uid: 'p0' } } }) },
      '401',
    ],
    ['of an account that was made anew', { bearer: token({ serviceAccount: { name: 'bot', uid: 'u0' } }) }, '401'],
    ['for somebody else', { bearer: token({ audiences: ['vault'] }) }, '401'],
  ])('%s', (_name, credentials, want) => {
    expect(nameOf(authenticate(credentials, ports))).toBe(want)
  })

  test('a certificate brings its organizations as groups', () => {
    const result = authenticate({ certificate: { commonName: 'ann', organizations: ['ops'] } }, ports)
    expect(result.ok && result.value.groups).toEqual(['ops', 'system:authenticated'])
  })
})

const rbac = (kind: string, name: string, more: object, namespace?: string): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, ...(namespace ? { namespace } : {}) },
  ...more,
})
const subject = (name: string): object => ({ kind: 'User', name })
const clusterRoles = [
  rbac('ClusterRole', 'impersonator', {
    rules: [{ apiGroups: [''], resources: ['users', 'groups'], resourceNames: ['bob', 'dev'], verbs: ['impersonate'] }],
  }),
  rbac('ClusterRole', 'role-writer', {
    rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['*'] }],
  }),
  rbac('ClusterRole', 'role-only', {
    rules: [
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['create'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    ],
  }),
]
const bind = (name: string, role: string): KubeObject =>
  rbac('ClusterRoleBinding', name, { roleRef: { kind: 'ClusterRole', name: role }, subjects: [subject(name)] })
const authorizer = new RbacAuthorizer(() => ({
  roles: [],
  clusterRoles,
  roleBindings: [],
  clusterRoleBindings: [bind('imp', 'impersonator'), bind('writer', 'role-writer'), bind('careful', 'role-only')],
}))
const user = (username: string): { username: string; groups: readonly string[] } => ({
  username,
  groups: ['system:authenticated'],
})

describe('impersonate', () => {
  test.each([
    ['a user who is allowed', { username: 'bob', groups: [], extra: {} }, 'bob'],
    ['with a group that is allowed', { username: 'bob', groups: ['dev'], extra: {} }, 'bob'],
    ['another user', { username: 'root', groups: [], extra: {} }, '403'],
    ['a group that is not allowed', { username: 'bob', groups: ['system:masters'], extra: {} }, '403'],
    ['extra that is not allowed', { username: 'bob', groups: [], extra: { scopes: ['all'] } }, '403'],
    ['a ServiceAccount', { username: 'system:serviceaccount:team:bot', groups: [], extra: {} }, '403'],
    ['a group without a user', { groups: ['dev'], extra: {} }, '400'],
    ['nobody', { groups: [], extra: {} }, 'imp'],
  ])('%s', (_name, wanted, want) => {
    const result = impersonate(user('imp'), wanted, authorizer.authorize)
    expect(result.ok ? result.value.username : String(result.error.code)).toBe(want)
  })
})

describe('escalation', () => {
  const reader = clusterOf({ clusterroles: clusterRoles })
  const plugin = rbacEscalation(reader, authorizer)
  const role = (verbs: string[]): KubeObject =>
    rbac('Role', 'r', { rules: [{ apiGroups: [''], resources: ['pods'], verbs }] }, 'team')
  const binding = rbac(
    'RoleBinding',
    'b',
    { roleRef: { kind: 'ClusterRole', name: 'role-writer' }, subjects: [] },
    'team',
  )
  test.each([
    ['what one holds may be given', 'careful', 'roles', role(['get']), true],
    ['what one does not hold may not', 'careful', 'roles', role(['delete']), false],
    ['unless one may escalate', 'writer', 'roles', role(['delete']), true],
    ['a role one does not hold may not be bound', 'careful', 'rolebindings', binding, false],
    ['unless one holds it', 'writer', 'rolebindings', binding, true],
    ['aggregation is for who holds everything', 'careful', 'roles', { ...role(['get']), aggregationRule: {} }, false],
  ])('%s', async (_name, who, plural, object, allowed) => {
    const outcome = await outcomeOf(plugin, writing(plural, object, { user: user(who) }))
    const refusal =
      typeof outcome === 'string' && /attempting to grant RBAC permissions not currently held/.test(outcome)
    expect({ allowed: outcome === object, refusal }).toEqual({ allowed, refusal: !allowed })
  })
})

describe('reviews', () => {
  const ask = (kind: string, spec: object, who = user('careful'), namespace?: string): unknown => {
    const object: KubeObject = { apiVersion: 'authorization.k8s.io/v1', kind, metadata: {}, spec }
    const result = answerReview({ kind, object, user: who, namespace }, { authorizer, authentication: ports })
    return result.ok ? result.value['status'] : result.error.message
  }
  const pods = { resource: 'pods', verb: 'get', namespace: 'team' }
  test.each<[string, unknown, unknown]>([
    ['may I', ask('SelfSubjectAccessReview', { resourceAttributes: pods }), { allowed: true }],
    [
      'may I not',
      ask('SelfSubjectAccessReview', { resourceAttributes: { ...pods, verb: 'delete' } }),
      { allowed: false },
    ],
    ['may somebody else', ask('SubjectAccessReview', { user: 'careful', resourceAttributes: pods }), { allowed: true }],
    [
      'may a master',
      ask('SubjectAccessReview', {
        user: 'x',
        groups: ['system:masters'],
        nonResourceAttributes: { path: '/', verb: 'get' },
      }),
      { allowed: true },
    ],
    ['who am I', ask('SelfSubjectReview', {}), { userInfo: user('careful') }],
    [
      'whose token is this',
      ask('TokenReview', { token: token() }),
      { authenticated: true, user: { username: 'system:serviceaccount:team:bot' } },
    ],
    [
      'for which audience',
      ask('TokenReview', { token: token({ audiences: ['a', 'b'] }), audiences: ['b', 'c'] }),
      { authenticated: true, audiences: ['b'] },
    ],
    [
      'what may I do',
      ask('SelfSubjectRulesReview', { namespace: 'team' }),
      {
        incomplete: false,
        nonResourceRules: [],
        resourceRules: [{ verbs: ['create'] }, { verbs: ['get'], resources: ['pods'] }],
      },
    ],
  ])('%s', (_name, status, want) => {
    expect(status).toMatchObject(want as object)
  })
  test('a bad token is told why, without the token', () => {
    const status = ask('TokenReview', { token: 'top-secret' }) as { authenticated: boolean; error: string }
    expect(status.authenticated).toBe(false)
    expect(status.error).toMatch(/not a signed token/)
    expect(JSON.stringify(status)).not.toContain('top-secret')
  })
  test.each([
    [ask('SubjectAccessReview', { user: 'a' }), /exactly one of/],
    [ask('SubjectAccessReview', { resourceAttributes: pods }), /at least one of user or group/],
    [
      ask('LocalSubjectAccessReview', { user: 'a', resourceAttributes: pods }, user('x'), 'other'),
      /must match metadata.namespace/,
    ],
  ])('a question that makes no sense is refused', (message, pattern) => {
    expect(message).toMatch(pattern)
  })
})

test('the server itself may do everything', () => {
  const attributes: ResourceAttributes = { user: system, verb: 'delete', group: '', version: 'v1', plural: 'secrets' }
  expect(authorizer.authorize(attributes).allowed).toBe(true)
})

test('a change of the objects counts from the next question on', () => {
  let bindings: readonly KubeObject[] = []
  const changing = new RbacAuthorizer(() => ({
    roles: [],
    clusterRoles,
    roleBindings: [],
    clusterRoleBindings: bindings,
  }))
  const attributes: ResourceAttributes = {
    user: user('careful'),
    verb: 'get',
    group: '',
    version: 'v1',
    plural: 'pods',
  }
  expect(changing.authorize(attributes).allowed).toBe(false)
  bindings = [bind('careful', 'role-only')]
  changing.invalidate()
  expect(changing.authorize(attributes).allowed).toBe(true)
})
