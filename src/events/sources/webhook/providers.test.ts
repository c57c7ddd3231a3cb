import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { succeed, type Result } from '../../../lib/result.ts'
import { canonicalName, headersOf } from './delivery.ts'
import { providers } from './providers.ts'
import type { ProviderContext, Received } from './provider.ts'

const NOW = Date.UTC(2026, 0, 1)

interface Sent {
  readonly kind: string
  readonly method?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly spec?: Readonly<Record<string, unknown>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly hasOpenPullRequest?: ProviderContext['hasOpenPullRequest']
}

async function receive(sent: Sent): Promise<Received> {
  const {
    kind,
    method = 'POST',
    query = '',
    headers = {},
    body = '',
    spec = {},
    secrets = {},
    hasOpenPullRequest,
  } = sent
  const provider = providers.get(kind)
  if (!provider) throw new Error(`there is no provider ${kind}`)
  const secret = (field: string): Result<string | undefined> => succeed(secrets[field])
  return provider(
    {
      method,
      query: new URLSearchParams(query),
      headers: headersOf(Object.entries(headers).flat()),
      body: Buffer.from(body),
    },
    { spec, secret, nowMs: NOW, ...(hasOpenPullRequest ? { hasOpenPullRequest } : {}) },
  )
}

async function dataOf(sent: Sent): Promise<unknown> {
  const received = await receive(sent)
  if (received.do !== 'publish') throw new Error(`refused: ${received.answer.status} ${received.answer.body}`)
  return received.events.map(({ data, delivery }) => ({ data: JSON.parse(data) as unknown, delivery }))
}

const hmac = (algorithm: string, key: string, body: string): string =>
  createHmac(algorithm, key).update(body).digest('hex')
const json = { 'content-type': 'application/json' }
const metadata = { team: 'payments' }

describe('what events hold', () => {
  test.each<{ readonly name: string; readonly sent: Sent; readonly want: unknown }>([
    {
      name: 'a plain webhook holds header and body',
      sent: {
        kind: 'webhook',
        headers: { ...json, 'x-a': '1' },
        body: '{"a": 1}',
        spec: { metadata },
      },
      want: {
        header: { 'Content-Type': ['application/json'], 'X-A': ['1'] },
        body: { a: 1 },
        metadata,
      },
    },
    { name: 'a body of any JSON is taken', sent: { kind: 'webhook', body: '[1]' }, want: { header: {}, body: [1] } },
    {
      name: 'a GET holds its query',
      sent: { kind: 'webhook', method: 'GET', query: 'b=2&a=1&a=3' },
      want: { header: {}, body: { a: ['1', '3'], b: ['2'] } },
    },
    {
      name: 'a form holds its fields',
      sent: { kind: 'webhook', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1&b=x+y' },
      want: { header: { 'Content-Type': ['application/x-www-form-urlencoded'] }, body: { a: ['1'], b: ['x y'] } },
    },
    {
      name: 'what proves the sender is not shown',
      sent: { kind: 'webhook', headers: { authorization: 'Bearer x' }, body: '1' },
      want: { header: { Authorization: ['*** Masked Auth Secret ***'] }, body: 1 },
    },
    {
      name: 'GitHub has the name of the event in the body too',
      sent: {
        kind: 'github',
        headers: { ...json, 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': 'd1' },
        body: '{"ref":"x"}\n',
        spec: { metadata },
      },
      want: {
        headers: { 'Content-Type': ['application/json'], 'X-Github-Delivery': ['d1'], 'X-Github-Event': ['push'] },
        body: { ref: 'x', 'X-GitHub-Delivery': 'd1', 'X-GitHub-Event': 'push' },
        metadata,
      },
    },
    {
      name: 'an empty object of GitHub',
      sent: { kind: 'github', headers: json, body: '{}' },
      want: {
        headers: { 'Content-Type': ['application/json'] },
        body: { 'X-GitHub-Delivery': '', 'X-GitHub-Event': '' },
      },
    },
    {
      name: 'a form of GitHub',
      sent: {
        kind: 'github',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'payload=%7B%22a%22%3A1%7D',
      },
      want: {
        headers: { 'Content-Type': ['application/x-www-form-urlencoded'] },
        body: { a: 1, 'X-GitHub-Delivery': '', 'X-GitHub-Event': '' },
      },
    },
    {
      name: 'GitLab',
      sent: {
        kind: 'gitlab',
        headers: { 'X-Gitlab-Token': 't' },
        body: '{"object_kind":"push"}',
        secrets: { secretToken: 't' },
      },
      want: { headers: { 'X-Gitlab-Token': ['*** Masked Auth Secret ***'] }, body: { object_kind: 'push' } },
    },
    {
      name: 'Bitbucket',
      sent: { kind: 'bitbucket', headers: { 'X-Event-Key': 'repo:push' }, body: '{}' },
      want: { headers: { 'X-Event-Key': ['repo:push'] }, body: {} },
    },
    {
      name: 'Bitbucket Server',
      sent: { kind: 'bitbucketserver', body: '{"a":1}' },
      want: { headers: {}, body: { a: 1 } },
    },
    {
      name: 'Gerrit',
      sent: { kind: 'gerrit', body: '{"type":"ref-updated"}' },
      want: { headers: {}, body: { type: 'ref-updated' } },
    },
    {
      name: 'Slack has the inner event',
      sent: {
        kind: 'slack',
        body: '{"token":"t","type":"event_callback","event_id":"E1","event":{"type":"app_mention","text":"hi"}}',
        secrets: { token: 't' },
      },
      want: { type: 'app_mention', Data: { type: 'app_mention', text: 'hi' } },
    },
    {
      name: 'a slash command of Slack',
      sent: {
        kind: 'slack',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'command=%2Fdeploy&text=now&user_name=ada&extra=1',
      },
      want: {
        token: '',
        team_id: '',
        team_domain: '',
        channel_id: '',
        channel_name: '',
        user_id: '',
        user_name: 'ada',
        command: '/deploy',
        text: 'now',
        response_url: '',
        trigger_id: '',
        api_app_id: '',
        is_enterprise_install: false,
      },
    },
    {
      name: 'an interaction of Slack',
      sent: {
        kind: 'slack',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `payload=${encodeURIComponent('{"type":"block_actions"}')}`,
      },
      want: { type: 'block_actions' },
    },
  ])('$name', async ({ sent, want }) => {
    expect(await dataOf(sent)).toEqual([expect.objectContaining({ data: want })])
  })

  test('large numbers keep their digits', async () => {
    const received = await receive({ kind: 'github', headers: json, body: '{"id": 12345678901234567890}' })
    expect(received).toMatchObject({ events: [{ data: expect.stringContaining('12345678901234567890') as unknown }] })
  })

  test('names of headers are as Go writes them', () => {
    expect(['x-github-event', 'CONTENT-TYPE', 'x-forwarded-for', 'a b'].map(canonicalName)).toEqual([
      'X-Github-Event',
      'Content-Type',
      'X-Forwarded-For',
      'a b',
    ])
  })
})

describe('the id of a delivery', () => {
  test.each<{ readonly name: string; readonly sent: Sent; readonly want: string | undefined }>([
    {
      name: 'GitHub',
      sent: { kind: 'github', headers: { ...json, 'X-GitHub-Delivery': 'd1' }, body: '{}' },
      want: 'd1',
    },
    {
      name: 'Gitea',
      sent: { kind: 'github', headers: { ...json, 'X-Gitea-Delivery': 'd2', 'X-GitHub-Delivery': 'd2' }, body: '{}' },
      want: 'd2',
    },
    { name: 'GitLab', sent: { kind: 'gitlab', headers: { 'Idempotency-Key': 'd3' }, body: '{}' }, want: 'd3' },
    { name: 'Bitbucket', sent: { kind: 'bitbucket', headers: { 'X-Request-UUID': 'd4' }, body: '{}' }, want: 'd4' },
    {
      name: 'Bitbucket Server',
      sent: { kind: 'bitbucketserver', headers: { 'X-Request-Id': 'd5' }, body: '{}' },
      want: 'd5',
    },
    {
      name: 'Slack',
      sent: { kind: 'slack', body: '{"type":"event_callback","event_id":"E1","event":{}}' },
      want: 'E1',
    },
    {
      name: 'a plain webhook has none',
      sent: { kind: 'webhook', headers: { 'X-Request-Id': 'd' }, body: '{}' },
      want: undefined,
    },
  ])('$name', async ({ sent, want }) => {
    const received = await receive(sent)
    expect(received.do === 'publish' ? received.events.map(({ delivery }) => delivery) : received).toEqual([want])
  })
})

const body = '{"a":1}'
const stamp = String(NOW / 1_000)
const slackSignature = (at: string, key = 'k'): Record<string, string> => ({
  'X-Slack-Request-Timestamp': at,
  'X-Slack-Signature': `v0=${hmac('sha256', key, `v0:${at}:${body}`)}`,
})
const callback = '{"type":"event_callback","token":"wrong","event":{}}'

describe('who may send', () => {
  const signed = (header: string, value: string): Sent => ({
    kind: 'github',
    headers: { ...json, [header]: value },
    body,
    secrets: { webhookSecret: 'k' },
  })
  test.each<{ readonly name: string; readonly sent: Sent; readonly want: number }>([
    {
      name: 'GitHub with SHA-256',
      sent: signed('X-Hub-Signature-256', `sha256=${hmac('sha256', 'k', body)}`),
      want: 200,
    },
    { name: 'GitHub with SHA-1', sent: signed('X-Hub-Signature', `sha1=${hmac('sha1', 'k', body)}`), want: 200 },
    { name: 'Gitea with its own', sent: signed('X-Gitea-Signature', hmac('sha256', 'k', body)), want: 200 },
    {
      name: 'GitHub with another key',
      sent: signed('X-Hub-Signature-256', `sha256=${hmac('sha256', 'other', body)}`),
      want: 400,
    },
    {
      name: 'GitHub with another body',
      sent: { ...signed('X-Hub-Signature-256', `sha256=${hmac('sha256', 'k', body)}`), body: '{"a":2}' },
      want: 400,
    },
    { name: 'GitHub without a signature', sent: signed('X-Nothing', ''), want: 400 },
    {
      name: 'GitHub with an algorithm that is none',
      sent: signed('X-Hub-Signature-256', `md5=${hmac('md5', 'k', body)}`),
      want: 400,
    },
    { name: 'GitHub with an empty signature', sent: signed('X-Hub-Signature-256', 'sha256='), want: 400 },
    {
      name: 'GitHub with a good SHA-1 beside a bad SHA-256',
      sent: {
        ...signed('X-Hub-Signature', `sha1=${hmac('sha1', 'k', body)}`),
        headers: { ...json, 'X-Hub-Signature-256': 'sha256=00', 'X-Hub-Signature': `sha1=${hmac('sha1', 'k', body)}` },
      },
      want: 400,
    },
    {
      name: 'GitHub with another type',
      sent: { kind: 'github', headers: { 'content-type': 'text/plain' }, body },
      want: 400,
    },
    { name: 'GitHub with a body that is a list', sent: { kind: 'github', headers: json, body: '[]' }, want: 400 },
    {
      name: 'GitLab with its token',
      sent: { kind: 'gitlab', headers: { 'X-Gitlab-Token': 't' }, body, secrets: { secretToken: 't' } },
      want: 200,
    },
    {
      name: 'GitLab with another token',
      sent: { kind: 'gitlab', headers: { 'X-Gitlab-Token': 'u' }, body, secrets: { secretToken: 't' } },
      want: 400,
    },
    { name: 'GitLab without a token', sent: { kind: 'gitlab', body, secrets: { secretToken: 't' } }, want: 400 },
    {
      name: 'Bitbucket Server with its signature',
      sent: {
        kind: 'bitbucketserver',
        headers: { 'X-Hub-Signature': `sha256=${hmac('sha256', 'k', body)}` },
        body,
        secrets: { webhookSecret: 'k' },
      },
      want: 200,
    },
    {
      name: 'Bitbucket Server with SHA-1',
      sent: {
        kind: 'bitbucketserver',
        headers: { 'X-Hub-Signature': `sha1=${hmac('sha1', 'k', body)}` },
        body,
        secrets: { webhookSecret: 'k' },
      },
      want: 400,
    },
    {
      name: 'Bitbucket Server without a signature',
      sent: { kind: 'bitbucketserver', body, secrets: { webhookSecret: 'k' } },
      want: 400,
    },
    {
      name: 'Slack with its signature',
      sent: { kind: 'slack', headers: slackSignature(stamp), body, secrets: { signingSecret: 'k' } },
      want: 200,
    },
    {
      name: 'Slack with another key',
      sent: { kind: 'slack', headers: slackSignature(stamp, 'x'), body, secrets: { signingSecret: 'k' } },
      want: 401,
    },
    {
      name: 'Slack as it was six minutes ago',
      sent: {
        kind: 'slack',
        headers: slackSignature(String(NOW / 1_000 - 360)),
        body,
        secrets: { signingSecret: 'k' },
      },
      want: 401,
    },
    {
      name: 'Slack as it will be in six minutes',
      sent: {
        kind: 'slack',
        headers: slackSignature(String(NOW / 1_000 + 360)),
        body,
        secrets: { signingSecret: 'k' },
      },
      want: 401,
    },
    { name: 'Slack without a signature', sent: { kind: 'slack', body, secrets: { signingSecret: 'k' } }, want: 401 },
    {
      name: 'Slack with another verification token',
      sent: { kind: 'slack', body: callback, secrets: { token: 't' } },
      want: 401,
    },
    { name: 'a body that is no JSON', sent: { kind: 'webhook', body: '{"a":' }, want: 400 },
    { name: 'an empty body', sent: { kind: 'webhook', body: '' }, want: 400 },
    {
      name: 'a body that nests 100,000 deep',
      sent: { kind: 'webhook', body: '['.repeat(100_000) + ']'.repeat(100_000) },
      want: 400,
    },
    {
      name: 'a form of Slack that says nothing',
      sent: { kind: 'slack', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
      want: 500,
    },
  ])('$name: $want', async ({ sent, want }) => {
    const received = await receive(sent)
    expect(received.do === 'publish' ? 200 : received.answer.status).toBe(want)
  })

  test('a secret that is not there lets nobody in', async () => {
    for (const kind of ['github', 'gitlab', 'bitbucketserver', 'slack']) {
      const received = await providers.get(kind)?.(
        { method: 'POST', query: new URLSearchParams(), headers: headersOf([]), body: Buffer.from('{}') },
        { spec: {}, nowMs: NOW, secret: () => ({ ok: false, error: [] }) },
      )
      expect(received).toMatchObject({ do: 'answer', answer: { status: 500 } })
    }
  })

  test('Slack asks whether the endpoint is ours', async () => {
    const asked = await receive({
      kind: 'slack',
      body: '{"type":"url_verification","token":"t","challenge":"c1"}',
      secrets: { token: 't' },
    })
    expect(asked).toEqual({ do: 'answer', answer: { status: 200, body: 'c1' } })
  })
})

describe('a push of Bitbucket Server', () => {
  const branch = (id: string, type = 'UPDATE'): object => ({ ref: { id, type: 'BRANCH' }, type, toHash: id })
  const push = JSON.stringify({
    repository: { slug: 'r', project: { key: 'P' } },
    changes: [branch('one'), branch('two'), branch('three', 'DELETE')],
  })
  const sent: Sent = {
    kind: 'bitbucketserver',
    headers: { 'X-Event-Key': 'repo:refs_changed', 'X-Request-Id': 'q' },
    body: push,
  }
  const changesOf = async (more: Partial<Sent>): Promise<unknown> => {
    const found = (await dataOf({ ...sent, ...more })) as {
      data: { body: { changes: { toHash: string }[] } }
      delivery: string
    }[]
    return found.map(({ data, delivery }) => [delivery, data.body.changes.map(({ toHash }) => toHash).join()])
  }
  const hasOpenPullRequest = (_project: string, _slug: string, commit: string) =>
    Promise.resolve(succeed(commit === 'one'))

  test('is one event', async () => {
    expect(await changesOf({})).toEqual([['q', 'one,two,three']])
  })
  test('is one event for every change, where that is asked for', async () => {
    expect(await changesOf({ spec: { oneEventPerChange: true } })).toEqual([
      ['q/0', 'one'],
      ['q/1', 'two'],
      ['q/2', 'three'],
    ])
  })
  test('leaves out branches with open pull requests', async () => {
    const spec = { oneEventPerChange: true, skipBranchRefsChangedOnOpenPR: true }
    expect(await changesOf({ spec, hasOpenPullRequest })).toEqual([
      ['q/0', 'two'],
      ['q/1', 'three'],
    ])
  })
  test('is no event when nothing is left', async () => {
    const spec = { skipBranchRefsChangedOnOpenPR: true }
    const all = () => Promise.resolve(succeed(true))
    const only = JSON.stringify({ changes: [branch('one')] })
    expect(await dataOf({ ...sent, body: only, spec, hasOpenPullRequest: all })).toEqual([])
  })
})

test('whatever object GitHub sends, its event holds it and the names of the headers, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.string(),
      fc.constantFrom('', ' ', '\n\t'),
      async (object, event, space) => {
        const name = event.replace(/[^ -~]/g, '').trim()
        const text = `${space}${JSON.stringify(object, null, space)}${space}`
        const [kept] = (await dataOf({ kind: 'github', headers: { ...json, 'X-GitHub-Event': name }, body: text })) as [
          { data: { body: unknown } },
        ]
        const parsed = JSON.parse(text) as object
        expect(kept.data.body).toEqual({ ...parsed, 'X-GitHub-Delivery': '', 'X-GitHub-Event': name })
      },
    ),
  )
})
