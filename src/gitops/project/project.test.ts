import { describe, expect, test } from 'vitest'
import { type AppProject, parseAppProject } from './app-project.ts'
import { checkApplication, isNamespacePermitted } from './check-application.ts'
import { checkDestination } from './destination-rules.ts'
import { serviceAccountFor } from './impersonation.ts'
import { normalRepoUrl } from './match-rule.ts'
import { isResourcePermitted } from './resource-rules.ts'
import { mayRole, rolesOfGroups } from './role-policies.ts'
import { checkSource } from './source-rules.ts'
import { activeWindows, canSync, windowsOf } from './sync-windows.ts'
import { validateProject } from './validate-project.ts'
import { defaultProject, virtualProject } from './virtual-project.ts'

const project = (spec: object, more: object = {}): AppProject =>
  parseAppProject({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'team', namespace: 'argocd' },
    spec,
    ...more,
  })

const inCluster = { server: 'https://kubernetes.default.svc', name: 'in-cluster' }
const remote = { server: 'https://remote:6443', name: 'remote' }

describe('sources', () => {
  test.each([
    [['*'], 'https://example.com/a', true, 'spec.sourceRepos[0]'],
    [[], 'https://example.com/a', false, 'spec.sourceRepos'],
    [['https://example.com/org/*'], 'https://example.com/org/a.git', true, 'spec.sourceRepos[0]'],
    [['https://example.com/org/*'], 'https://example.com/org/a/b', false, 'spec.sourceRepos'],
    [['https://example.com/org/**'], 'https://example.com/org/a/b', true, 'spec.sourceRepos[0]'],
    [['HTTPS://Example.com/A.git'], 'https://example.com/a', true, 'spec.sourceRepos[0]'],
    [['git@example.com:org/a.git'], 'ssh://git@example.com/org/a', true, 'spec.sourceRepos[0]'],
    [['!https://example.com/bad', '*'], 'https://example.com/bad', false, 'spec.sourceRepos[0]'],
    [['*', '!https://example.com/bad*'], 'https://example.com/bad-too', false, 'spec.sourceRepos[1]'],
    [['!https://example.com/bad'], 'https://example.com/good', true, 'spec.sourceRepos[0]'],
  ])('the rules %j answer %s with %s by %s', (sourceRepos, url, permitted, rule) => {
    expect(checkSource(project({ sourceRepos }), url)).toMatchObject({ permitted, rule })
  })

  test('a refusal names the rule and the smallest change', () => {
    expect(checkSource(project({ sourceRepos: ['https://a/*'] }), 'https://b/x')).toEqual({
      permitted: false,
      rule: 'spec.sourceRepos',
      because: 'no rule accepts "https://b/x": "https://a/*"',
      cure: 'add "https://b/x" to spec.sourceRepos',
    })
  })

  test.each([
    ['git@github.com:Org/Repo.git', 'git@github.com/org/repo'],
    ['ssh://git@github.com:22/org/repo', 'git@github.com:22/org/repo'],
    [' https://github.com/org/repo.git ', 'https://github.com/org/repo'],
    ['https://user@example.com/repo', 'https://user@example.com/repo'],
  ])('%s is compared as %s', (url, want) => expect(normalRepoUrl(url)).toBe(want))
})

describe('destinations', () => {
  const all = { server: '*', namespace: '*' }
  test.each([
    ['any', [all], inCluster, 'x', true],
    ['none', [], inCluster, 'x', false],
    ['by name', [{ name: 'rem*', namespace: 'a' }], remote, 'a', true],
    ['another namespace', [{ server: '*', namespace: 'team-*' }], remote, 'kube-system', false],
    ['namespace excluded after all', [all, { server: '*', namespace: '!kube-system' }], remote, 'kube-system', false],
    ['namespace excluded first', [{ server: '*', namespace: '!kube-system' }, all], remote, 'kube-system', false],
    ['server excluded', [all, { server: '!https://remote:6443', namespace: '*' }], remote, 'a', false],
    ['server excluded, another asked', [{ server: '!https://remote:6443', namespace: '*' }], inCluster, 'a', true],
    ['server excluded in one namespace', [all, { server: '!https://remote:6443', namespace: 'x' }], remote, 'a', true],
    ['name excluded in every namespace', [all, { name: '!remote', namespace: 'x' }], remote, 'a', false],
  ])('%s', (_, destinations, cluster, namespace, permitted) => {
    expect(checkDestination(project({ destinations }), cluster, namespace).permitted).toBe(permitted)
  })

  test('only clusters of the project itself, where it says so', () => {
    const strict = project({ destinations: [all], permitOnlyProjectScopedClusters: true })
    expect(checkDestination(strict, remote, 'a', [remote])).toMatchObject({
      permitted: false,
      rule: 'spec.permitOnlyProjectScopedClusters',
    })
    expect(checkDestination(strict, remote, 'a', [{ ...remote, project: 'team' }]).permitted).toBe(true)
  })
})

describe('resources', () => {
  const wanted = (group: string, kind: string, name: string, namespace: string = ''): never =>
    ({ group, kind, name, namespace, isNamespaced: namespace !== '' }) as never
  const destinations = [{ server: '*', namespace: 'a' }]
  test.each([
    ['no cluster resource is allowed unless listed', {}, wanted('', 'Namespace', 'x'), false],
    [
      'a listed one is',
      { clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }] },
      wanted('', 'Namespace', 'x'),
      true,
    ],
    [
      'by name',
      { clusterResourceWhitelist: [{ group: '', kind: 'Namespace', name: 'team-*' }] },
      wanted('', 'Namespace', 'team-a'),
      true,
    ],
    [
      'not by another name',
      { clusterResourceWhitelist: [{ group: '', kind: 'Namespace', name: 'team-*' }] },
      wanted('', 'Namespace', 'b'),
      false,
    ],
    [
      'a denial wins',
      {
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
        clusterResourceBlacklist: [{ group: '', kind: 'Namespace' }],
      },
      wanted('', 'Namespace', 'b'),
      false,
    ],
    ['namespaced kinds are allowed without a list', {}, wanted('apps', 'Deployment', 'x', 'a'), true],
    ['an empty list allows none', { namespaceResourceWhitelist: [] }, wanted('apps', 'Deployment', 'x', 'a'), false],
    [
      'a listed kind',
      { namespaceResourceWhitelist: [{ group: 'apps', kind: 'Deploy*' }] },
      wanted('apps', 'Deployment', 'x', 'a'),
      true,
    ],
    [
      'a refused kind',
      { namespaceResourceBlacklist: [{ group: '', kind: 'ResourceQuota' }] },
      wanted('', 'ResourceQuota', 'x', 'a'),
      false,
    ],
    ['a namespace that is no destination', {}, wanted('apps', 'Deployment', 'x', 'b'), false],
    [
      'the empty group is the core group only',
      { namespaceResourceWhitelist: [{ group: '', kind: '*' }] },
      wanted('apps', 'Deployment', 'x', 'a'),
      false,
    ],
  ])('%s', (_, spec, resource, permitted) => {
    expect(isResourcePermitted(project({ destinations, ...spec }), resource, inCluster).permitted).toBe(permitted)
  })
})

describe('an Application', () => {
  const application = (spec: object, namespace: string = 'argocd'): never =>
    ({ metadata: { name: 'shop', namespace }, spec }) as never
  const source = { repoURL: 'https://a/x', path: 'p' }
  const destination = { server: inCluster.server, namespace: 'a' }
  const strict = project({ sourceRepos: ['https://a/*'], destinations: [{ server: '*', namespace: 'a' }] })
  const surroundings = { cluster: inCluster, controllerNamespace: 'argocd' }
  const codes = (spec: object, namespace?: string): readonly string[] =>
    checkApplication(strict, application(spec, namespace), surroundings).map((violation) => violation.code)

  test.each([
    ['may be deployed', { source, destination }, undefined, []],
    [
      'from another repository',
      { source: { ...source, repoURL: 'https://b/x' }, destination },
      undefined,
      ['project-source-denied'],
    ],
    [
      'to another namespace',
      { source, destination: { ...destination, namespace: 'b' } },
      undefined,
      ['project-destination-denied'],
    ],
    ['from another namespace', { source, destination }, 'team-b', ['project-namespace-denied']],
    ['without a path', { source: { repoURL: 'https://a/x' }, destination }, undefined, ['source-incomplete']],
    [
      'a chart without a version',
      { source: { repoURL: 'https://a/x', chart: 'c' }, destination },
      undefined,
      ['source-incomplete'],
    ],
    [
      'each of several sources',
      { sources: [source, { repoURL: 'https://b/y', ref: 'values' }], destination },
      undefined,
      ['project-source-denied'],
    ],
    [
      'hydrated from a refused repository',
      { sourceHydrator: { drySource: { repoURL: 'https://b/x', path: 'p' }, syncSource: { path: 'q' } }, destination },
      undefined,
      ['project-source-denied'],
    ],
  ])('%s', (_, spec, namespace, want) => expect(codes(spec, namespace)).toEqual(want))

  test('speaks as Argo CD does, and adds why and the cure', () => {
    const [violation] = checkApplication(
      strict,
      application({ source, destination: { ...destination, namespace: 'b' } }),
      surroundings,
    )
    expect(violation).toEqual({
      code: 'project-destination-denied',
      at: 'spec.destination',
      message:
        "application destination server 'https://kubernetes.default.svc' and namespace 'b' do not match any of the allowed destinations in project 'team'",
      rule: 'spec.destinations',
      because: 'no rule accepts "https://kubernetes.default.svc" namespace "b": {server: "*", namespace: "a"}',
      cure: 'add {server: "https://kubernetes.default.svc", namespace: "b"} to spec.destinations',
    })
  })

  test.each([
    [[], 'b', false],
    [['team-*'], 'team-b', true],
    [['/^team-[a-c]$/'], 'team-b', true],
    [['/^team-[a-c]$/'], 'team-bb', false],
    [[], 'argocd', true],
  ])('the namespaces %j let Applications of %s in: %s', (sourceNamespaces, namespace, permitted) => {
    expect(isNamespacePermitted(project({ sourceNamespaces }), namespace, surroundings).permitted).toBe(permitted)
  })
})

describe('sync windows', () => {
  const at = (text: string): number => Date.parse(text)
  const window = (more: object): object => ({ schedule: '0 8 * * *', duration: '2h', applications: ['*'], ...more })
  const windows = (...list: readonly object[]): AppProject => project({ syncWindows: list })
  const app = { metadata: { name: 'shop' }, spec: { destination: { server: 'https://s', namespace: 'a' } } }
  const ask = (subject: AppProject, time: string, more: object = {}): unknown => {
    const answer = canSync(windowsOf(subject, app), { nowMs: at(time), isManual: false, ...more })
    return answer.ok ? answer.value.allowed : answer.error[0]?.code
  }
  const noon = '2026-03-10T12:00:00Z'
  const nine = '2026-03-10T09:00:00Z'
  test.each([
    ['nothing stands in the way without windows', windows(), noon, {}, true],
    ['a deny window that is open', windows(window({ kind: 'deny' })), nine, {}, false],
    ['a deny window that is closed', windows(window({ kind: 'deny' })), noon, {}, true],
    ['an allow window that is open', windows(window({ kind: 'allow' })), nine, {}, true],
    ['an allow window that is closed', windows(window({ kind: 'allow' })), noon, {}, false],
    ['deny wins over allow', windows(window({ kind: 'allow' }), window({ kind: 'deny' })), nine, {}, false],
    [
      'by hand, where the window lets one',
      windows(window({ kind: 'deny', manualSync: true })),
      nine,
      { isManual: true },
      true,
    ],
    [
      'by hand, where one of two does not',
      windows(window({ kind: 'deny', manualSync: true }), window({ kind: 'deny', duration: '3h' })),
      nine,
      { isManual: true },
      false,
    ],
    ['of another application', windows(window({ kind: 'deny', applications: ['other'] })), nine, {}, true],
    ['of the namespace', windows(window({ kind: 'deny', applications: [], namespaces: ['a'] })), nine, {}, false],
    [
      'of the cluster',
      windows(window({ kind: 'deny', applications: ['x'], clusters: ['https://s'] })),
      nine,
      {},
      false,
    ],
    [
      'of name and namespace together',
      windows(window({ kind: 'deny', namespaces: ['b'], andOperator: true })),
      nine,
      {},
      true,
    ],
    ['in a zone', windows(window({ kind: 'deny', timeZone: 'America/New_York' })), noon, {}, false],
    [
      'an operation that began before',
      windows(window({ kind: 'deny', syncOverrun: true })),
      nine,
      { startedAtMs: at('2026-03-10T07:59:00Z') },
      true,
    ],
    [
      'an operation that began within',
      windows(window({ kind: 'deny', syncOverrun: true })),
      nine,
      { startedAtMs: at('2026-03-10T08:01:00Z') },
      false,
    ],
    [
      'an operation that outlasts an allow window',
      windows(window({ kind: 'allow', syncOverrun: true })),
      noon,
      { startedAtMs: at(nine) },
      true,
    ],
    ['a schedule that cannot be read', windows(window({ kind: 'deny', schedule: 'x' })), nine, {}, 'cron-invalid'],
  ])('%s', (_, subject, time, more, want) => expect(ask(subject, time, more)).toBe(want))

  test('a refusal says until when', () => {
    const answer = canSync(windowsOf(windows(window({ kind: 'deny' })), app), { nowMs: at(nine), isManual: false })
    expect(answer).toMatchObject({ ok: true, value: { allowed: false, untilMs: at('2026-03-10T10:00:00Z') } })
  })

  test('the open windows are told', () => {
    const both = windows(window({ kind: 'deny' }), window({ kind: 'deny', schedule: '0 20 * * *' })).syncWindows
    const open = activeWindows(both, at(nine))
    expect(open.ok && open.value.map((each) => each.schedule)).toEqual(['0 8 * * *'])
  })
})

describe('roles', () => {
  const roles = [
    {
      name: 'dev',
      groups: ['devs', '"a, b"'],
      policies: [
        'p, proj:team:dev, applications, sync, team/*, allow',
        'p, proj:team:dev, applications, *, team/vault, deny',
      ],
    },
  ]
  const subject = project({ roles })
  const role = subject.roles[0] as never
  test.each([
    ['applications', 'sync', 'team/shop', true],
    ['applications', 'sync', 'team/vault', false],
    ['applications', 'delete', 'team/shop', false],
    ['projects', 'get', 'team', true],
  ])('%s %s %s: %s', (resource, action, object, want) => {
    expect(mayRole(subject, role, { resource, action, object }).allowed).toBe(want)
  })
  test('groups hold roles', () => {
    expect(rolesOfGroups(subject, ['devs']).map((each) => each.name)).toEqual(['dev'])
    expect(rolesOfGroups(subject, ['a, b'])).toHaveLength(1)
    expect(rolesOfGroups(subject, ['__proto__'])).toEqual([])
  })
  test('tokens are told without their secrets, newest first', () => {
    const status = {
      jwtTokensByRole: {
        dev: {
          items: [
            { iat: 1, id: 'one' },
            { iat: 5, exp: 9 },
          ],
        },
      },
    }
    expect(project({ roles }, { status }).roles[0]?.tokens).toEqual([
      { id: '5', issuedAt: 5, expiresAt: 9 },
      { id: 'one', issuedAt: 1, expiresAt: undefined },
    ])
  })
})

describe('validation', () => {
  const line = 'p, proj:team:dev, applications, sync, team/*, allow'
  test.each([
    ['nothing', {}, []],
    ['a rule that excludes everything', { sourceRepos: ['!*'] }, ['spec.sourceRepos[0]']],
    [
      'a destination twice',
      {
        destinations: [
          { server: 'a', namespace: 'b' },
          { server: 'a', namespace: 'b' },
        ],
      },
      ['spec.destinations[1]'],
    ],
    ['a role of a wrong name', { roles: [{ name: '-dev' }] }, ['spec.roles[0].name']],
    ['a sound policy', { roles: [{ name: 'dev', policies: [line] }] }, []],
    ['a policy of another role', { roles: [{ name: 'ops', policies: [line] }] }, ['spec.roles[0].policies[0]']],
    [
      'a policy of another project',
      { roles: [{ name: 'dev', policies: [line.replace('team/*', 'other/*')] }] },
      ['spec.roles[0].policies[0]'],
    ],
    ['a group without quotes', { roles: [{ name: 'dev', groups: ['a,b'] }] }, ['spec.roles[0].groups[0]']],
    [
      'a window without a scope',
      { syncWindows: [{ kind: 'deny', schedule: '* * * * *', duration: '1h' }] },
      ['spec.syncWindows[0]'],
    ],
    ['a window of a wrong kind', { syncWindows: [{ kind: 'maybe' }] }, ['spec.syncWindows[0].kind']],
    [
      'an account with a star',
      { destinationServiceAccounts: [{ server: '*', namespace: '*', defaultServiceAccount: 'a*' }] },
      ['spec.destinationServiceAccounts[0].defaultServiceAccount'],
    ],
  ])('%s', (_, spec, want) => expect(validateProject(project(spec)).map((problem) => problem.at)).toEqual(want))
})

describe('impersonation', () => {
  const place = { server: 'https://s', namespace: 'a', applicationNamespace: 'argocd' }
  test.each([
    [[{ server: '*', namespace: 'a', defaultServiceAccount: 'deployer' }], 'system:serviceaccount:a:deployer'],
    [[{ server: '*', namespace: '*', defaultServiceAccount: 'ops:deployer' }], 'system:serviceaccount:ops:deployer'],
    [[{ server: 'https://t', namespace: '*', defaultServiceAccount: 'x' }], undefined],
    [[], undefined],
  ])('the rules %j choose %s', (destinationServiceAccounts, want) => {
    expect(serviceAccountFor(project({ destinationServiceAccounts }), place)).toEqual({ ok: true, value: want })
  })
  test('a malformed account refuses', () => {
    const bad = project({ destinationServiceAccounts: [{ server: '*', namespace: '*', defaultServiceAccount: '*' }] })
    expect(serviceAccountFor(bad, place)).toMatchObject({ ok: false, error: [{ code: 'service-account-invalid' }] })
  })
})

test('global projects and what belongs to the project widen it, and an absent list stays absent', () => {
  const wide = virtualProject(
    project({ sourceRepos: ['a'] }),
    { repositories: ['b'], clusters: [{ server: 's' }, { server: 't', namespaces: ['n'] }] },
    [project({ sourceRepos: ['c'], namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }] })],
  )
  expect(wide.sourceRepos).toEqual(['a', 'b', 'c'])
  expect(wide.destinations).toEqual([
    { server: 's', name: '', namespace: '*' },
    { server: 't', name: '', namespace: 'n' },
  ])
  expect(wide.namespaceResourceWhitelist).toBeUndefined()
  expect(wide.namespaceResourceBlacklist).toHaveLength(1)
})

test('the default project allows everything, and what we do not act on is named', () => {
  const everything = parseAppProject(defaultProject('argocd') as never)
  expect(checkSource(everything, 'https://x/y').permitted).toBe(true)
  expect(checkDestination(everything, remote, 'z').permitted).toBe(true)
  expect(project({ signatureKeys: [{ keyID: 'A' }] }).unsupported).toEqual(['spec.signatureKeys'])
})
