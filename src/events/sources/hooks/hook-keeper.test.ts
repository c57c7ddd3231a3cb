import { createVerify, generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { valueOf } from '../../../apiserver/apiserver.testkit.ts'
import { succeed } from '../../../lib/result.ts'
import type { ServiceHttp, ServiceRequest } from '../../../runtime/service-http.ts'
import { EventSourceKind } from '../../eventsource/event-source.ts'
import { type EventSourceWorld, eventSourceWorld, NAMESPACE, secrets } from '../../eventsource/event-source.testkit.ts'

const worlds: EventSourceWorld[] = []
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.stop()))
})

type Hook = Readonly<Record<string, unknown>>

/** A forge in memory: collections of hooks by their URLs, in the shape that its lists have. */
class FakeForge {
  readonly hooks = new Map<string, Hook[]>()
  readonly asked: ServiceRequest[] = []
  readonly #shape: (hooks: readonly Hook[]) => unknown
  readonly #idField: string
  status = 200
  #next = 1

  constructor(shape: (hooks: readonly Hook[]) => unknown, idField = 'id') {
    this.#shape = shape
    this.#idField = idField
  }

  readonly http: ServiceHttp = (request) => {
    this.asked.push(request)
    if (this.status !== 200) return this.#answer(this.status, { message: 'Bad credentials' })
    const url = request.url.split('?')[0] ?? ''
    if (url.endsWith('/access_tokens')) return this.#answer(201, { token: 'of-the-app' })
    if (url.endsWith('/repos'))
      return this.#answer(200, { values: [{ slug: 'found', project: { key: 'P' } }], isLastPage: true })
    if (request.method === 'GET') return this.#answer(200, this.#shape(this.hooks.get(url) ?? []))
    const body = JSON.parse(request.body ?? '{}') as Hook
    if (request.method === 'POST') {
      const made = { ...body, [this.#idField]: this.#idField === 'uuid' ? `{${this.#next}}` : this.#next }
      this.#next += 1
      this.hooks.set(url, [...(this.hooks.get(url) ?? []), made])
      return this.#answer(201, made)
    }
    const slash = url.lastIndexOf('/')
    const [place, id] = [url.slice(0, slash), decodeURIComponent(url.slice(slash + 1))]
    const others = (this.hooks.get(place) ?? []).filter((hook) => String(hook[this.#idField]) !== id)
    const old = (this.hooks.get(place) ?? []).find((hook) => String(hook[this.#idField]) === id)
    if (!old) return this.#answer(404, { message: 'Not Found' })
    this.hooks.set(place, request.method === 'DELETE' ? others : [...others, { ...old, ...body }])
    return this.#answer(200, body)
  }

  /** What was asked, as `METHOD path`, and forgotten. */
  calls(): readonly string[] {
    return this.asked.splice(0).map(({ method, url }) => `${method} ${new URL(url).pathname}`)
  }

  #answer(status: number, body: unknown): ReturnType<ServiceHttp> {
    return Promise.resolve({ status, headers: new Map(), body: JSON.stringify(body) })
  }
}

async function worldWith(forge: FakeForge): Promise<EventSourceWorld> {
  const world = await eventSourceWorld(() => ({ httpFor: () => Promise.resolve(succeed(forge.http)) }))
  worlds.push(world)
  await world.bus()
  await world.secret('forge', { token: 't0ken', secret: 's3cret', user: 'ada', password: 'p4ss' })
  return world
}

const from = (key: string) => ({ name: 'forge', key })
const webhook = { endpoint: '/push', port: '12000', method: 'POST', url: 'https://hooks.example/' }
const github = {
  webhook,
  events: ['push'],
  active: true,
  apiToken: from('token'),
  webhookSecret: from('secret'),
  contentType: 'json',
  repositories: [{ owner: 'o', names: ['r'] }],
  deleteHookOnFinish: true,
}
const plain = (hooks: readonly Hook[]): unknown => hooks
const paged = (hooks: readonly Hook[]): unknown => ({ values: hooks, isLastPage: true })
const HOUR = 3_600_000
const registered = (world: EventSourceWorld) => world.condition('forge', 'WebhooksRegistered')

describe('the hooks of a source', () => {
  test.each([
    {
      name: 'GitHub',
      forge: new FakeForge(plain),
      spec: { github: { push: github } },
      at: 'https://api.github.com/repos/o/r/hooks',
      account: { authorization: 'Bearer t0ken' },
      want: {
        name: 'web',
        active: true,
        events: ['push'],
        config: { url: 'https://hooks.example/push', content_type: 'json', insecure_ssl: '0', secret: 's3cret' },
      },
    },
    {
      name: 'an organization of GitHub Enterprise',
      forge: new FakeForge(plain),
      spec: {
        github: {
          push: {
            ...github,
            repositories: undefined,
            organizations: ['org'],
            githubBaseURL: 'https://ghe/api/v3',
            githubUploadURL: 'https://ghe/u',
          },
        },
      },
      at: 'https://ghe/api/v3/orgs/org/hooks',
      account: { authorization: 'Bearer t0ken' },
      want: { name: 'web' },
    },
    {
      name: 'Gitea',
      forge: new FakeForge(plain),
      spec: {
        github: {
          push: {
            ...github,
            githubBaseURL: 'http://gitea.gitea.svc:3000/api/v1',
            githubUploadURL: 'http://gitea.gitea.svc:3000/api/v1',
          },
        },
      },
      at: 'http://gitea.gitea.svc:3000/api/v1/repos/o/r/hooks',
      account: { authorization: 'Bearer t0ken' },
      want: {
        type: 'gitea',
        active: true,
        events: ['push'],
        config: { url: 'https://hooks.example/push', content_type: 'json', secret: 's3cret' },
      },
    },
    {
      name: 'GitLab',
      forge: new FakeForge(plain),
      spec: {
        gitlab: {
          push: {
            webhook,
            events: ['PushEvents', 'MergeRequestsEvents'],
            gitlabBaseURL: 'https://gitlab.com',
            accessToken: from('token'),
            secretToken: from('secret'),
            projects: ['a/b'],
            enableSSLVerification: true,
          },
        },
      },
      at: 'https://gitlab.com/api/v4/projects/a%2Fb/hooks',
      account: { 'private-token': 't0ken' },
      want: {
        url: 'https://hooks.example/push',
        token: 's3cret',
        enable_ssl_verification: true,
        push_events: true,
        merge_requests_events: true,
        tag_push_events: false,
      },
    },
    {
      name: 'Bitbucket',
      forge: new FakeForge(paged, 'uuid'),
      spec: {
        bitbucket: {
          push: {
            webhook,
            events: ['repo:push'],
            owner: 'o',
            repositorySlug: 'r',
            auth: { basic: { username: from('user'), password: from('password') } },
          },
        },
      },
      at: 'https://api.bitbucket.org/2.0/repositories/o/r/hooks',
      account: { authorization: `Basic ${Buffer.from('ada:p4ss').toString('base64')}` },
      want: { url: 'https://hooks.example/push', active: true, events: ['repo:push'] },
    },
    {
      name: 'Bitbucket Server, all of a project',
      forge: new FakeForge(paged),
      spec: {
        bitbucketserver: {
          push: {
            webhook,
            events: ['repo:refs_changed'],
            projects: ['P'],
            accessToken: from('token'),
            webhookSecret: from('secret'),
            bitbucketserverBaseURL: 'https://stash/rest',
          },
        },
      },
      at: 'https://stash/rest/api/1.0/projects/P/repos/found/webhooks',
      account: { authorization: 'Bearer t0ken' },
      want: { name: 'Argo Events', url: 'https://hooks.example/push', configuration: { secret: 's3cret' } },
    },
  ])('are registered with $name, and left alone from then on', async ({ forge, spec, at, account, want }) => {
    const world = await worldWith(forge)
    await world.source('forge', spec)
    await world.settle(1_000)
    await expect.poll(() => registered(world)).toBe('True : ')
    expect(forge.hooks.get(at)).toEqual([expect.objectContaining(want)])
    expect(forge.asked[0]?.headers).toMatchObject(account)
    forge.calls()
    await world.settle(HOUR)
    expect(new Set(forge.calls().map((call) => call.split(' ')[0]))).toEqual(new Set(['GET']))
    // Beginning again does not make a second one; its secret may have been another.
    const versionOf = async (): Promise<unknown> =>
      valueOf(await world.client.get({ resource: EventSourceKind, namespace: NAMESPACE, name: 'forge' })).metadata
        .resourceVersion
    const before = await versionOf()
    await world.restart()
    await world.settle(1_000)
    expect(forge.hooks.get(at)).toHaveLength(1)
    await expect.poll(() => registered(world)).toBe('True : ')
    expect(await versionOf()).toBe(before)
  })

  test('follow the spec and the secret, come back when somebody removes them, and go in the end', async () => {
    const forge = new FakeForge(plain)
    const world = await worldWith(forge)
    const at = 'https://api.github.com/repos/o/r/hooks'
    forge.hooks.set(at, [{ id: 7, active: true, events: ['push'], config: { url: 'https://other.example' } }])
    await world.source('forge', { github: { push: github } })
    await world.settle(1_000)
    expect(forge.hooks.get(at)).toHaveLength(2)
    forge.hooks.set(
      at,
      (forge.hooks.get(at) ?? []).filter(({ id }) => id === 7),
    )
    await world.settle(HOUR)
    expect(forge.hooks.get(at)).toHaveLength(2)
    await world.source('forge', { github: { push: { ...github, events: ['push', 'pull_request'] } } })
    await world.settle(1_000)
    expect(forge.hooks.get(at)?.map(({ events }) => events)).toEqual([['push'], ['push', 'pull_request']])
    const secretAt = { resource: secrets, namespace: NAMESPACE, name: 'forge' }
    const data = { secret: Buffer.from('n3w').toString('base64') }
    valueOf(await world.client.patch(secretAt, { type: 'merge', body: { data } }))
    await world.settle(1_000)
    expect(forge.hooks.get(at)?.[1]).toMatchObject({ config: { secret: 'n3w' } })
    const moved = { ...github, webhook: { ...webhook, endpoint: '/moved' } }
    await world.source('forge', { github: { push: moved } })
    await world.settle(1_000)
    expect(forge.hooks.get(at)?.map(({ config }) => (config as Hook)['url'])).toEqual([
      'https://other.example',
      'https://hooks.example/moved',
    ])
    await world.source('forge', {
      github: { push: { ...moved, repositories: [{ owner: 'o', names: ['r', 'more'] }] } },
    })
    await world.settle(1_000)
    expect(forge.hooks.get('https://api.github.com/repos/o/more/hooks')).toHaveLength(1)
    await world.source('forge', { github: { push: moved } })
    await world.settle(1_000)
    expect(forge.hooks.get('https://api.github.com/repos/o/more/hooks')).toEqual([])
    await world.remove(EventSourceKind, 'forge')
    expect(forge.hooks.get(at)?.map(({ id }) => id)).toEqual([7])
  })

  test('that cannot be registered are told of, are tried again, and stop nobody', async () => {
    const forge = new FakeForge(plain)
    forge.status = 401
    const world = await worldWith(forge)
    await world.source('forge', { github: { push: github } })
    await world.settle(1_000)
    await expect
      .poll(() => registered(world))
      .toBe(
        'False RegistrationFailed: github/push: o/r: GET https://api.github.com/repos/o/r/hooks was answered 401: Bad credentials',
      )
    await expect.poll(() => world.condition('forge', 'Deployed')).toBe('True : ')
    expect(await world.url('forge')).toMatch(/^http:/)
    forge.status = 200
    await world.settle(10 * 60_000)
    await expect.poll(() => registered(world)).toBe('True : ')
    expect(JSON.stringify(world.complaints)).not.toMatch(/t0ken|s3cret/)
  })

  test('are registered by an app of GitHub too', async () => {
    const forge = new FakeForge(plain)
    const world = await worldWith(forge)
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await world.secret('app', { key: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString() })
    const { apiToken: _, ...rest } = github
    const githubApp = { appID: 12, installationID: 34, privateKey: { name: 'app', key: 'key' } }
    await world.source('forge', { github: { push: { ...rest, githubApp } } })
    await world.settle(1_000)
    await expect.poll(() => registered(world)).toBe('True : ')
    const [first, second] = forge.asked
    expect(first?.url).toBe('https://api.github.com/app/installations/34/access_tokens')
    const [header = '', claims = '', signature = ''] = (first?.headers['authorization'] ?? '')
      .replace('Bearer ', '')
      .split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ iss: '12' })
    expect(createVerify('sha256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true)
    expect(second?.headers).toMatchObject({ authorization: 'Bearer of-the-app' })
  })

  test('are not made for those who have no account, and said to be missing for Gerrit', async () => {
    const forge = new FakeForge(plain)
    const world = await worldWith(forge)
    const { apiToken: _, ...rest } = github
    await world.source('forge', { github: { push: rest } })
    await world.settle(1_000)
    await expect.poll(() => registered(world)).toBeUndefined()
    const gerrit = {
      webhook,
      hookName: 'h',
      events: [],
      projects: ['p'],
      gerritBaseURL: 'https://gerrit',
      auth: { username: from('user'), password: from('password') },
    }
    await world.source('forge', { gerrit: { push: gerrit } })
    await world.settle(1_000)
    await expect
      .poll(() => registered(world))
      .toBe(
        'False RegistrationFailed: gerrit/push: hooks of gerrit are not registered by this platform: add one that sends to https://hooks.example/push',
      )
    expect(forge.asked).toEqual([])
  })
})

test('a push to a branch with an open pull request is looked up with the account of the source', async () => {
  const asked: string[] = []
  const http: ServiceHttp = ({ url, headers }) => {
    asked.push(`${headers['authorization']} ${url}`)
    const state = url.includes('/commits/one/') ? 'OPEN' : 'MERGED'
    return Promise.resolve({ status: 200, headers: new Map(), body: JSON.stringify({ values: [{ state }] }) })
  }
  const world = await eventSourceWorld(() => ({ httpFor: () => Promise.resolve(succeed(http)) }))
  worlds.push(world)
  await world.bus()
  await world.secret('forge', { token: 't0ken' })
  const { url: _, ...listens } = webhook
  await world.source('forge', {
    bitbucketserver: {
      push: {
        webhook: listens,
        bitbucketserverBaseURL: 'https://stash',
        events: [],
        accessToken: from('token'),
        skipBranchRefsChangedOnOpenPR: true,
        oneEventPerChange: true,
      },
    },
  })
  const change = (toHash: string): object => ({ ref: { type: 'BRANCH' }, type: 'UPDATE', toHash })
  const body = JSON.stringify({
    repository: { slug: 'r', project: { key: 'P' } },
    changes: [change('one'), change('two')],
  })
  const answered = await fetch(`${await world.url('forge')}/push`, {
    method: 'POST',
    body,
    headers: { 'X-Event-Key': 'repo:refs_changed' },
  })
  expect(answered.status).toBe(200)
  expect(world.kept.map(({ event }) => event.data?.includes('"two"'))).toEqual([true])
  expect(asked[0]).toBe(
    'Bearer t0ken https://stash/rest/api/1.0/projects/P/repos/r/commits/one/pull-requests?limit=100',
  )
})
