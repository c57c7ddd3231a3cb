import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Result } from '../lib/result.ts'
import type { ClusterAccess } from './access.ts'
import { inClusterAccess } from './in-cluster.ts'
import { accessOf, contextNames, kubeconfigPaths, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts'

const root = mkdtempSync(join(tmpdir(), 'idp-kubeconfig-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function configWith(cluster: object, user: object, context: object = {}): string {
  return JSON.stringify({
    'current-context': 'main',
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u', ...context } }],
    clusters: [{ name: 'c', cluster: { server: 'https://example.com:6443', ...cluster } }],
    users: [{ name: 'u', user }],
  })
}

function accessIn(text: string, context?: string): Result<ClusterAccess> {
  const config = parseKubeconfig(text, join(root, 'config'))
  return config.ok ? accessOf(config.value, context) : config
}

const messageOf = (result: Result<unknown>): string => (result.ok ? 'ok' : (result.error[0]?.message ?? ''))

writeFileSync(join(root, 'ca.crt'), 'CA')

test.each<[string, object, object, object]>([
  [
    'nothing but a server',
    {},
    {},
    { server: 'https://example.com:6443', namespace: 'default', tls: {}, credentials: { by: 'nothing' } },
  ],
  ['a path behind the host', { server: 'https://example.com/k8s/c-1/' }, {}, { server: 'https://example.com/k8s/c-1' }],
  [
    'certificates inline',
    { 'certificate-authority-data': base64('CA') },
    { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
    { tls: { ca: 'CA', cert: 'CERT', key: 'KEY' } },
  ],
  ['an authority in a file beside it', { 'certificate-authority': 'ca.crt' }, {}, { tls: { ca: 'CA' } }],
  ['another server name', { 'tls-server-name': 'kubernetes' }, {}, { tls: { serverName: 'kubernetes' } }],
  ['no verification', { 'insecure-skip-tls-verify': true }, {}, { tls: { insecure: true } }],
  ['a proxy', { 'proxy-url': 'http://proxy:3128' }, {}, { proxyUrl: 'http://proxy:3128' }],
  ['a token', {}, { token: 'secret' }, { credentials: { by: 'token', token: 'secret' } }],
  [
    'a token file before a token',
    {},
    { token: 'secret', tokenFile: 'token' },
    { credentials: { by: 'token-file', path: join(root, 'token') } },
  ],
  [
    'a password',
    {},
    { username: 'me', password: 'pw' },
    { credentials: { by: 'password', username: 'me', password: 'pw' } },
  ],
  [
    'somebody else',
    {},
    { token: 'x', as: 'jane', 'as-groups': ['dev'], 'as-user-extra': { scope: ['a'] } },
    { impersonate: { user: 'jane', groups: ['dev'], extra: { scope: ['a'] } } },
  ],
  [
    'a plugin beside it, which asks for the cluster',
    {
      'certificate-authority-data': base64('CA'),
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { a: 1 } }],
    },
    {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: './login',
        args: ['-x'],
        env: [{ name: 'A', value: 'b' }],
        provideClusterInfo: true,
        interactiveMode: 'IfAvailable',
      },
    },
    {
      credentials: {
        by: 'exec',
        plugin: {
          command: join(root, 'login'),
          args: ['-x'],
          environment: { A: 'b' },
          cluster: { server: 'https://example.com:6443', 'certificate-authority-data': base64('CA'), config: { a: 1 } },
        },
      },
    },
  ],
])('reads %s', (_what, cluster, user, want) => {
  expect(accessIn(configWith(cluster, user))).toMatchObject({ ok: true, value: want })
})

test.each<[string, string, RegExp]>([
  ['no YAML', 'token: [secret', /it is not YAML$/],
  ['a list', '[]', /it is not an object/],
  ['contexts that are no list', '{"contexts": {}}', /contexts is not a list/],
  ['a context without a name', '{"contexts": [{}]}', /contexts\[0\] has no name/],
  [
    'a context without its cluster',
    '{"current-context": "a", "contexts": [{"name": "a"}]}',
    /its cluster "" is not there/,
  ],
  ['a context without its user', configWith({}, {}, { user: 'x' }), /its user "x" is not there/],
  ['no server', configWith({ server: '' }, {}), /the cluster has no server/],
  ['credentials in the URL', configWith({ server: 'https://me:pw@example.com' }, {}), /must not hold credentials$/],
  ['another protocol', configWith({ server: 'ftp://example.com' }, {}), /not a URL of https/],
  ['a key without its certificate', configWith({}, { 'client-key-data': base64('KEY') }), /belong together/],
  ['a file that is not there', configWith({ 'certificate-authority': 'nope' }, {}), /nope cannot be read \(ENOENT\)/],
  ['a token that is no text', configWith({}, { token: 7 }), /token is not text/],
  ['an auth-provider', configWith({}, { 'auth-provider': { name: 'gcp' } }), /use an exec plugin/],
  [
    'both an authority and no verification',
    configWith({ 'certificate-authority': 'ca.crt', 'insecure-skip-tls-verify': true }, {}),
    /exclude each other/,
  ],
  [
    'a plugin of an old version',
    configWith({}, { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } }),
    /neither .* nor/,
  ],
])('refuses %s, without quoting what may be secret', (_what, text, message) => {
  const outcome = accessIn(text)
  expect(messageOf(outcome)).toMatch(message)
  expect(JSON.stringify(outcome)).not.toMatch(/secret|pw|KEY/)
})

test('another context is found by name, and an unknown one tells those that there are', () => {
  const text = JSON.stringify({
    contexts: [
      { name: 'b', context: { cluster: 'c', namespace: 'team' } },
      { name: '__proto__', context: { cluster: 'c' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://c' } }],
  })
  expect(accessIn(text, 'b')).toMatchObject({ ok: true, value: { namespace: 'team' } })
  expect(accessIn(text, '__proto__')).toMatchObject({ ok: true, value: { namespace: 'default' } })
  expect(accessIn(text, 'constructor')).toMatchObject({
    ok: false,
    error: [{ code: 'context-unknown', cure: 'use one of: __proto__, b' }],
  })
  expect(messageOf(accessIn(text))).toMatch(/none is current/)
})

test('of several files the first that names something wins, and each resolves its own paths', () => {
  const folder = join(root, 'other')
  mkdirSync(folder)
  writeFileSync(join(folder, 'ca.crt'), 'OTHER CA')
  const first = join(root, 'first')
  const second = join(folder, 'second')
  writeFileSync(first, configWith({ 'certificate-authority': 'ca.crt' }, {}))
  writeFileSync(
    second,
    configWith({ 'certificate-authority': 'ca.crt' }, {}).replaceAll('"main"', '"second"').replaceAll('"c"', '"d"'),
  )
  const config = loadKubeconfig([join(root, 'missing'), first, second])
  if (!config.ok) throw new Error(messageOf(config))
  expect(contextNames(config.value)).toEqual(['main', 'second'])
  expect(accessOf(config.value)).toMatchObject({ ok: true, value: { tls: { ca: 'CA' } } })
  expect(accessOf(config.value, 'second')).toMatchObject({ ok: true, value: { tls: { ca: 'OTHER CA' } } })
  expect(loadKubeconfig([join(root, 'missing')])).toMatchObject({ ok: false, error: [{ code: 'kubeconfig-missing' }] })
})

test('the files are those that kubectl reads', () => {
  expect(kubeconfigPaths({ KUBECONFIG: '/a:/b::/a', HOME: '/home/me' })).toEqual(['/a', '/b'])
  expect(kubeconfigPaths({ HOME: '/home/me' })).toEqual(['/home/me/.kube/config'])
  expect(kubeconfigPaths({})).toEqual([])
})

test('in a Pod, the ServiceAccount is used', () => {
  const folder = join(root, 'account')
  mkdirSync(folder)
  for (const [name, text] of Object.entries({ token: 'secret', 'ca.crt': 'CA', namespace: 'team\n' })) {
    writeFileSync(join(folder, name), text)
  }
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  expect(inClusterAccess(environment, folder)).toEqual({
    ok: true,
    value: {
      server: 'https://[fd00::1]:443',
      namespace: 'team',
      tls: { ca: 'CA' },
      credentials: { by: 'token-file', path: join(folder, 'token') },
    },
  })
  expect(inClusterAccess({}, folder)).toMatchObject({ ok: false, error: [{ code: 'not-in-cluster' }] })
  expect(inClusterAccess(environment, join(root, 'nowhere'))).toMatchObject({ ok: false })
})
