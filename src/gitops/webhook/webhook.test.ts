import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { silentLog } from '../../lib/log.ts'
import { filesTouch, generatePaths, isApplicationAffected, isSameRepository, mayMove } from './affected.ts'
import type { PushEvent } from './push-event.ts'
import { receiveWebhook, type WebhookRequest, webhookSecrets, type WebhookSecrets } from './receive.ts'
import { webhookHandler } from './webhook-handler.ts'

const none: WebhookSecrets = webhookSecrets({})
const encode = (value: string): string => Buffer.from(value).toString('base64')
const secrets = webhookSecrets({
  'webhook.github.secret': encode('word'),
  'webhook.gitlab.secret': encode('$other'),
  other: encode('token'),
  'webhook.gogs.secret': encode('word'),
  'webhook.bitbucket.uuid': encode('{u-1}'),
  'webhook.bitbucketserver.secret': encode('word'),
})
const request = (headers: Readonly<Record<string, string>>, payload: unknown): WebhookRequest => ({
  method: 'POST',
  headers,
  body: new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload)),
})
const sign = (payload: unknown, algorithm: string = 'sha256'): string =>
  createHmac(algorithm, 'word')
    .update(typeof payload === 'string' ? payload : JSON.stringify(payload))
    .digest('hex')

const commits = [{ added: ['a/new.yaml'], modified: ['b.yaml'], removed: ['c.yaml'] }]
const github = {
  ref: 'refs/heads/main',
  before: '0',
  after: '1',
  repository: {
    html_url: 'https://github.com/org/repo',
    default_branch: 'main',
    name: 'repo',
    owner: { login: 'org' },
  },
  commits,
}
const gitlab = {
  object_kind: 'push',
  ref: 'refs/heads/dev/x',
  project: { web_url: 'https://gitlab.com/g/p', default_branch: 'main' },
  commits,
}
const bitbucket = {
  repository: { links: { html: { href: 'https://bitbucket.org/o/r' } } },
  push: { changes: [{ old: { target: { hash: 'x' } }, new: { name: 'main', target: { hash: 'y' } } }] },
}
const bitbucketServer = {
  repository: {
    links: {
      clone: [
        { name: 'http', href: 'https://bb.example.com/scm/p/r.git' },
        { name: 'x', href: 'no' },
      ],
    },
  },
  changes: [{ ref: { id: 'refs/heads/main' }, fromHash: 'x', toHash: 'y' }],
}

describe('who may send', () => {
  const form = `payload=${encodeURIComponent(JSON.stringify(github))}`
  test.each<[string, Readonly<Record<string, string>>, unknown, Partial<PushEvent>]>([
    [
      'GitHub',
      { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${sign(github)}` },
      github,
      {
        repositoryUrls: ['https://github.com/org/repo'],
        revision: 'main',
        touchedHead: true,
        changedFiles: ['a/new.yaml', 'b.yaml', 'c.yaml'],
      },
    ],
    [
      'an old GitHub',
      { 'x-github-event': 'push', 'x-hub-signature': `sha1=${sign(github, 'sha1')}` },
      github,
      { after: '1' },
    ],
    [
      'GitHub with a form',
      {
        'x-github-event': 'push',
        'content-type': 'application/x-www-form-urlencoded',
        'x-hub-signature-256': `sha256=${sign(form)}`,
      },
      form,
      { before: '0' },
    ],
    [
      'GitLab',
      { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 'token' },
      gitlab,
      { revision: 'dev/x', touchedHead: false },
    ],
    [
      'Gitea, whose headers look like those of GitHub',
      {
        'x-github-event': 'push',
        'x-gogs-event': 'push',
        'x-gitea-signature': sign(github),
      },
      github,
      { from: 'gogs' },
    ],
    [
      'Bitbucket',
      { 'x-event-key': 'repo:push', 'x-hook-uuid': 'u-1' },
      bitbucket,
      { revision: 'main', after: 'y', touchedHead: true },
    ],
    [
      'Bitbucket Server',
      { 'x-event-key': 'repo:refs_changed', 'x-hub-signature': `sha256=${sign(bitbucketServer)}` },
      bitbucketServer,
      {
        repositoryUrls: ['https://bb.example.com/scm/p/r.git'],
        revision: 'main',
      },
    ],
  ])('%s', (_name, headers, payload, want) => {
    expect(receiveWebhook(request(headers, payload), secrets)).toMatchObject({
      ok: true,
      value: { is: 'push', push: want },
    })
    const forged = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, /signature|token|uuid/.test(name) ? `${value}0` : value]),
    )
    expect(receiveWebhook(request(forged, payload), secrets)).toMatchObject({
      ok: false,
      error: [{ code: 'webhook-refused' }],
    })
    const unsigned = Object.fromEntries(Object.entries(headers).filter(([name]) => !/signature|token/.test(name)))
    expect(receiveWebhook(request(unsigned, payload), none).ok).toBe(true)
  })

  test.each<[string, WebhookRequest]>([
    ['another method', { ...request({ 'x-github-event': 'push' }, github), method: 'GET' }],
    ['nobody that is known', request({}, github)],
    ['no JSON', request({ 'x-github-event': 'push' }, '{')],
    ['JSON that is no object', request({ 'x-github-event': 'push' }, '[]')],
    [
      'an empty secret instead of the signature',
      request({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': '' }, gitlab),
    ],
  ])('%s is refused', (_name, sent) => {
    expect(receiveWebhook(sent, secrets)).toMatchObject({ ok: false, error: [{ code: 'webhook-refused' }] })
  })

  test('odd payloads say nothing instead of failing', () => {
    for (const payload of [{}, { repository: 7 }, { commits: 'x', ref: [] }, { push: { changes: [null] } }]) {
      for (const headers of [
        { 'x-github-event': 'push' },
        { 'x-gitlab-event': 'x' },
        { 'x-gogs-event': 'push' },
        { 'x-event-key': 'repo:push', 'x-hook-uuid': 'u' },
        { 'x-event-key': 'repo:refs_changed' },
      ]) {
        expect(receiveWebhook(request(headers, payload), none).ok).toBe(true)
      }
    }
    expect(receiveWebhook(request({ 'x-github-event': 'ping' }, {}), none)).toEqual({
      ok: true,
      value: { is: 'nothing' },
    })
  })
})

describe('what a push concerns', () => {
  test.each([
    ['https://github.com/org/repo', 'git@github.com:org/repo.git', true],
    ['https://github.com/org/repo', 'ssh://git@ssh.github.com:443/org/repo.git', true],
    ['https://github.com/org/repo', 'https://user:token@GitHub.com/Org/Repo', true],
    ['https://bb.example.com/scm/p/r.git', 'https://bb.example.com:7990/scm/p/r', true],
    ['https://github.com/org/repo', 'https://github.com/org/repo2', false],
    ['https://github.com/org/repo', 'https://evil.example.com/github.com/org/repo', false],
    ['https://github.com/org/repo', '', false],
  ])('%s and %s: %s', (a, b, want) => {
    expect(isSameRepository(a, b)).toBe(want)
  })

  const push: PushEvent = {
    from: 'github',
    repositoryUrls: ['https://github.com/org/repo'],
    revision: 'main',
    touchedHead: true,
    before: undefined,
    after: undefined,
    changedFiles: [],
  }
  test.each<[string, Partial<PushEvent>, boolean]>([
    ['', {}, true],
    ['HEAD', { touchedHead: false }, false],
    ['main', {}, true],
    ['refs/heads/main', {}, true],
    ['dev', {}, false],
    ['dev', { revision: undefined }, true],
    ['1.x', { revision: 'v1.2.3', touchedHead: false }, true],
    ['2.x', { revision: 'v1.2.3', touchedHead: false }, false],
  ])('the revision %j', (revision, more, want) => {
    expect(mayMove(revision, { ...push, ...more })).toBe(want)
  })

  test.each<[string | undefined, readonly string[], boolean]>([
    [undefined, ['x'], true],
    ['.', [], true],
    ['.', ['apps/a/k.yaml'], true],
    ['.', ['apps/ab/k.yaml'], false],
    ['.;/shared', ['shared/x.yaml'], true],
    ['../base ; ', ['apps/base/x'], true],
    ['/shared/*.yaml', ['shared/x.yaml'], true],
    ['/shared/*.yaml', ['shared/deep/x.yaml'], false],
    ['/', ['anything'], true],
  ])('paths %j and files %j: %s', (annotation, files, want) => {
    expect(filesTouch(generatePaths(annotation, 'apps/a'), files)).toBe(want)
  })
})

test('a push that changes the settings concerns Applications wherever their manifests are', () => {
  const repoURL = 'https://github.com/org/repo'
  const app: KubeObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'a', annotations: { 'argocd.argoproj.io/manifest-generate-paths': '.' } },
    spec: { source: { repoURL, path: 'apps/a' } },
  }
  const push: PushEvent = {
    from: 'github',
    repositoryUrls: [repoURL],
    touchedHead: true,
    revision: 'main',
    before: undefined,
    after: undefined,
    changedFiles: ['other/x.yaml'],
  }
  expect(isApplicationAffected(app, push)).toBe(false)
  expect(isApplicationAffected(app, { ...push, changedFiles: ['other/x.yaml', 'idp.yaml'] })).toBe(true)
})

test('a push asks the repository, then refreshes what may have changed', async () => {
  const app = (name: string, source: object, annotations: Readonly<Record<string, string>> = {}): KubeObject => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, annotations },
    spec: { source },
  })
  const set = (name: string, generators: readonly object[]): KubeObject => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name },
    spec: { generators },
  })
  const repoURL = 'git@github.com:org/repo.git'
  const did: string[] = []
  const handler = webhookHandler({
    secrets: () => secrets,
    applications: () => [
      app('all', { repoURL, path: 'x' }),
      app('paths', { repoURL, path: 'x' }, { 'argocd.argoproj.io/manifest-generate-paths': '.' }),
      app('below', { repoURL, path: 'a' }, { 'argocd.argoproj.io/manifest-generate-paths': '.' }),
      app('other', { repoURL: 'https://github.com/org/other' }),
      app('pinned', { repoURL, targetRevision: 'v1' }),
    ],
    applicationSets: () => [
      set('git', [{ git: { repoURL } }]),
      set('nested', [{ matrix: { generators: [{ list: {} }, { git: { repoURL: '{{url}}', revision: 'main' } }] } }]),
      set('pulls', [{ pullRequest: { github: { owner: 'Org', repo: 'repo' } } }]),
      set('list', [{ list: {} }]),
    ],
    check: async (url) => void did.push(`check ${url}`),
    refresh: async (object) => void did.push(object.metadata.name ?? ''),
    log: silentLog,
  })
  const headers = { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${sign(github)}` }
  expect(handler.handle(request(headers, github))).toEqual({ status: 200, body: '' })
  await handler.settled()
  expect(did).toEqual(['check https://github.com/org/repo', 'git', 'nested', 'all', 'below'])
  did.length = 0
  const opened = { action: 'opened', repository: github.repository }
  handler.handle(request({ 'x-github-event': 'pull_request', 'x-hub-signature-256': `sha256=${sign(opened)}` }, opened))
  await handler.settled()
  expect(did).toEqual(['pulls'])
  expect(handler.handle(request({ 'x-github-event': 'push' }, github)).status).toBe(400)
})
