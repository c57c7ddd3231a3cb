import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { findRepository, repositorySettings } from './repository-secrets.ts'

const secret = (name: string, role: string, data: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': role } },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
})
const settings = repositorySettings(
  [
    secret('plain', 'repository', { url: 'https://git.example.com/team/app.git', username: 'u', password: 'p' }),
    secret('scoped', 'repository', { url: 'https://git.example.com/team/app', project: 'ours', password: 'scoped' }),
    secret('bare', 'repository', { url: 'https://git.example.com/org/x', type: 'git', insecure: 'true' }),
    secret('short', 'repo-creds', { url: 'https://git.example.com', password: 'short' }),
    secret('long', 'repo-creds', { url: 'https://git.example.com/org', password: 'long' }),
    secret('ssh', 'repo-creds', { url: 'git@git.example.com:org', sshPrivateKey: 'KEY' }),
    secret('app', 'repository', { url: 'https://git.example.com/gh/app', githubAppPrivateKey: 'K' }),
    secret('write', 'repository-write', { url: 'https://git.example.com/w', password: 'never' }),
    secret('charts', 'repository', { url: 'registry.example.com/charts', type: 'helm', enableOCI: 'true' }),
  ],
  {
    tlsCerts: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { 'git.example.com': 'PEM' } },
    knownHosts: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {},
      data: { ssh_known_hosts: 'git.example.com ssh-rsa A' },
    },
  },
)

describe('who we are to a repository', () => {
  test.each<[string, string, string, object]>([
    ['a Secret of everybody', 'https://git.example.com/Team/App', '', { username: 'u', password: 'p' }],
    ['a Secret of the project comes first', 'https://git.example.com/team/app', 'ours', { password: 'scoped' }],
    ['another project gets that of everybody', 'https://git.example.com/team/app', 'theirs', { password: 'p' }],
    ['the longest template', 'https://git.example.com/org/y', '', { password: 'long' }],
    ['a shorter template elsewhere', 'https://git.example.com/else/y', '', { password: 'short' }],
    [
      'a Secret without credentials takes the template',
      'https://git.example.com/org/x',
      '',
      { password: 'long', insecure: true },
    ],
    ['SSH in either form', 'ssh://git@git.example.com/org/z', '', { sshPrivateKey: 'KEY' }],
    ['write credentials are not read', 'https://git.example.com/w', '', { password: 'short' }],
  ])('%s', (_name, url, project, want) => {
    expect(findRepository(settings, url, project)).toMatchObject({ ok: true, value: { access: want } })
  })

  test('certificates and known hosts come with the host', () => {
    expect(findRepository(settings, 'https://git.example.com:8443/x')).toMatchObject({
      value: { access: { ca: 'PEM', knownHosts: 'git.example.com ssh-rsa A' } },
    })
    expect(findRepository(settings, 'https://other.example.com/x')).toEqual({
      ok: true,
      value: {
        type: 'git',
        isOci: false,
        plainHttp: false,
        enableLfs: false,
        access: { knownHosts: 'git.example.com ssh-rsa A' },
      },
    })
  })

  test('what is not supported is said with the Secret that asks for it', () => {
    expect(findRepository(settings, 'https://git.example.com/gh/app')).toMatchObject({
      ok: false,
      error: [{ code: 'git-credentials-unsupported', at: 'argocd/app' }],
    })
  })

  test('registries of charts are known by their flag', () => {
    expect(findRepository(settings, 'registry.example.com/charts')).toMatchObject({
      value: { type: 'helm', isOci: true },
    })
  })
})
