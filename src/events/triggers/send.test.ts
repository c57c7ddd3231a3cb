import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { explain, type Result } from '../../lib/result.ts'
import { serviceHttp } from '../../runtime/service-http.ts'
import { readAllowed, refusedAddress } from './refused-address.ts'
import { sendRequest } from './send-request.ts'
import { triggersWorld, type TriggersWorld } from './triggers-world.testkit.ts'

const told = (result: Result<unknown>): string => (result.ok ? 'fired' : result.error.map(explain).join('\n'))

async function world(): Promise<TriggersWorld> {
  const made = await triggersWorld([])
  await made.apply(`
apiVersion: v1
kind: Secret
metadata: { name: keys, namespace: events }
stringData: { token: "t0p-secret", user: ann, broken: "a\\nb: c" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: events }
data: { team: blue }
`)
  return made
}

const secret = (key: string): object => ({ name: 'keys', key })
const payload = [
  { src: { dependencyName: 'push', dataKey: 'app' }, dest: 'app' },
  { src: { dependencyName: 'push', dataKey: 'count', useRawData: true }, dest: 'deep.count' },
]

test('a request carries its payload and all kinds of headers', async () => {
  const at = await world()
  const http = {
    url: 'https://hooks.example.com/a?key=1',
    method: 'put',
    payload,
    timeout: 5,
    headers: { 'X-Plain': 'p', 'X-Team': 'red' },
    dynamicHeaders: [{ src: { dependencyName: 'push', dataKey: 'app' }, dest: 'X-App' }],
    secureHeaders: [
      { name: 'Authorization', valueFrom: { secretKeyRef: secret('token') } },
      { name: 'X-Team', valueFrom: { configMapKeyRef: { name: 'settings', key: 'team' } } },
    ],
  }
  const fired = await at.fire({ http }, { app: 'web', count: 3 })
  expect(fired).toMatchObject({
    ok: true,
    value: { because: 'PUT https://hooks.example.com/a?... answered 200', httpStatus: 200 },
  })
  expect(at.sent).toMatchObject([
    {
      method: 'PUT',
      url: 'https://hooks.example.com/a?key=1',
      body: '{"app":"web","deep":{"count":3}}',
      timeoutMs: 5_000,
      headers: {
        'x-plain': 'p',
        'x-team': 'blue',
        'x-app': 'web',
        authorization: 't0p-secret',
        'idempotency-key': 'f1',
        'content-type': 'application/json',
      },
    },
  ])
})

test('basic auth and certificates come from Secrets', async () => {
  const at = await world()
  const http = {
    url: 'https://x.example.com',
    basicAuth: { username: secret('user'), password: secret('token') },
    tls: { caCertSecret: secret('token'), clientCertSecret: secret('user'), clientKeySecret: secret('token') },
  }
  expect(told(await at.fire({ http }, {}))).toBe('fired')
  expect(at.sent[0]).toMatchObject({
    method: 'POST',
    ca: 't0p-secret',
    cert: 'ann',
    headers: { authorization: `Basic ${Buffer.from('ann:t0p-secret').toString('base64')}` },
  })
})

test('parameters fill the request, and a payload may be a whole text', async () => {
  const at = await world()
  const http = {
    url: 'https://x.example.com/',
    parameters: [{ src: { dependencyName: 'push', dataKey: 'path' }, dest: 'url', operation: 'append' }],
    payload: [{ src: { dependencyName: 'push', dataKey: 'path' }, dest: '' }],
  }
  expect(told(await at.fire({ http }, { path: 'apps/web' }))).toBe('fired')
  expect(at.sent[0]).toMatchObject({ url: 'https://x.example.com/apps/web', body: 'apps/web' })
})

test('the answer decides nothing here: whoever fires goes by its status', async () => {
  const at = await world()
  at.answer = () => ({ status: 503 })
  expect(await at.fire({ http: { url: 'https://x.example.com' } }, {})).toMatchObject({
    ok: true,
    value: { httpStatus: 503 },
  })
})

test('a redirect to another host gets no secret, and one to a refused address is not followed', async () => {
  const at = await world()
  at.answer = ({ url }) =>
    url.startsWith('https://a.') ? { status: 302, headers: new Map([['location', 'https://b.example.com/next']]) } : {}
  const secureHeaders = [{ name: 'X-Key', valueFrom: { secretKeyRef: secret('token') } }]
  const http = { url: 'https://a.example.com', secureHeaders, headers: { 'x-plain': 'p' }, payload }
  expect(told(await at.fire({ http }, { app: 'web', count: 1 }))).toBe('fired')
  expect(at.sent[1]).toMatchObject({ method: 'GET', url: 'https://b.example.com/next', headers: { 'x-plain': 'p' } })
  expect(JSON.stringify(at.sent[1])).not.toContain('t0p-secret')
  at.answer = () => ({ status: 307, headers: new Map([['location', 'http://169.254.169.254/latest']]) })
  expect(told(await at.fire({ http }, { app: 'web', count: 1 }))).toContain('lead to the metadata of machines')
  at.answer = () => ({ status: 302, headers: new Map([['location', 'file:///etc/passwd']]) })
  expect(told(await at.fire({ http }, { app: 'web', count: 1 }))).toContain('which is not HTTP')
})

test.each<readonly [string, object, string]>([
  ['a URL that is none', { url: 'hooks' }, '"hooks" is no URL of HTTP'],
  ['another scheme', { url: 'ftp://example.com' }, 'is no URL of HTTP'],
  ['a password in the URL', { url: 'https://ann:pw@example.com' }, 'the URL has a password in it'],
  [
    'a Secret that is not there',
    { secureHeaders: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] },
    'cannot read Secret events/no',
  ],
  [
    'a secret that would make another header',
    { secureHeaders: [{ name: 'A', valueFrom: { secretKeyRef: secret('broken') } }] },
    'characters that cannot be sent',
  ],
  [
    'an event that would make another header',
    { dynamicHeaders: [{ src: { dependencyName: 'push', dataKey: 'evil' }, dest: 'A' }] },
    'characters that cannot be sent',
  ],
  ['half of a client certificate', { tls: { clientCertSecret: secret('user') } }, 'go together'],
  ['a method that is none', { method: 'GET /' }, 'is no method'],
])('%s is told', async (_, http, message) => {
  const at = await world()
  const answer = told(await at.fire({ http: { url: 'https://x.example.com', ...http } }, { evil: 'a\r\nHost: b' }))
  expect(answer).toContain(message)
  expect(answer).not.toContain('t0p-secret')
})

test.each([
  ['169.254.169.254', 'metadata'],
  ['fe80::1', 'metadata'],
  ['fe80::1%eth0', 'metadata'],
  ['fd00:ec2::254', 'metadata'],
  ['127.0.0.1', 'loopback'],
  ['127.9.9.9', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:a9fe:a9fe', 'metadata'],
  ['64:ff9b::a9fe:a9fe', 'metadata'],
  ['2002:a9fe:a9fe::', 'metadata'],
  ['::7f00:1', 'loopback'],
  ['0.0.0.0', 'no address of anybody'],
  ['0.1.2.3', 'no address of anybody'],
  ['::', 'no address of anybody'],
  ['224.0.0.1', 'a group'],
  ['ff02::1', 'a group'],
  ['255.255.255.255', 'everybody'],
  ['nonsense', 'is no address'],
])('%s is refused: %s', (address, because) => expect(refusedAddress(address)).toContain(because))

test.each(['10.0.0.1', '192.168.1.1', '8.8.8.8', '2606:4700::1111', 'fd12::1'])('%s may be asked', (address) =>
  expect(refusedAddress(address)).toBeUndefined(),
)

test('an administrator may allow a network on the Namespace', async () => {
  const at = await world()
  const http = { url: 'http://127.0.0.1:9/' }
  expect(told(await at.fire({ http }, {}))).toContain('loopback addresses lead into this process')
  const annotations = { 'idp-blueprint.io/http-allow': '10.0.0.0/8, 127.0.0.0/8' }
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' }
  await at.client.patch(
    { resource: namespaces, name: 'events' },
    { type: 'merge', body: { metadata: { annotations } } },
  )
  expect(told(await at.fire({ http }, {}))).toBe('fired')
  expect(readAllowed('everything').ok).toBe(false)
})

test('over real sockets: what a name resolves to is what is checked', async () => {
  const server = createServer((_, response) => response.end('hello'))
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const send = (refuse: (address: string) => string | undefined): Promise<Result<unknown>> =>
    sendRequest(
      {
        do: 'request',
        method: 'GET',
        url: `http://localhost:${port}/`,
        headers: [],
        timeoutMs: 5_000,
        skipVerify: false,
      },
      {
        http: serviceHttp({ refuse }),
        read: () => Promise.reject(new Error('nothing is read')),
        fireId: 'f',
        signal: new AbortController().signal,
      },
    )
  expect(told(await send(refusedAddress))).toContain('[trigger-address-refused]')
  expect(told(await send(() => undefined))).toBe('fired')
  await new Promise((done) => void server.close(done))
})

const slack = { slackToken: secret('token'), channel: '#alerts', message: 'hello' }

test('a message is posted to Slack, and the next one of its key goes into its thread', async () => {
  const at = await world()
  at.answer = () => ({ body: '{"ok":true,"ts":"17.1"}' })
  const parameters = [{ src: { dependencyName: 'push', dataKey: 'app' }, dest: 'message', operation: 'append' }]
  const more = {
    parameters,
    attachments: '[{"title":"t"}]',
    sender: { username: 'idp', icon: ':robot:' },
    thread: { messageAggregationKey: 'k', broadcastMessageToChannel: true },
  }
  const template = { slack: { ...slack, ...more } }
  expect(told(await at.fire(template, { app: ' web' }))).toBe('fired')
  expect(told(await at.fire(template, { app: ' web' }))).toBe('fired')
  expect(at.sent[0]).toMatchObject({
    url: 'https://slack.com/api/chat.postMessage',
    headers: { authorization: 'Bearer t0p-secret' },
  })
  expect(at.sent.map(({ body }) => JSON.parse(body ?? '') as unknown)).toEqual([
    { channel: 'alerts', text: 'hello web', attachments: [{ title: 't' }], username: 'idp', icon_emoji: ':robot:' },
    {
      channel: 'alerts',
      text: 'hello web',
      attachments: [{ title: 't' }],
      username: 'idp',
      icon_emoji: ':robot:',
      thread_ts: '17.1',
      reply_broadcast: true,
    },
  ])
})

test.each<readonly [string, object, string, string]>([
  ['a refusal of Slack', {}, '{"ok":false,"error":"channel_not_found"}', 'Slack answered "channel_not_found"'],
  ['an answer that is none', {}, '<html>', 'Slack answered "no JSON"'],
  ['no channel', { channel: '' }, '', 'there is no channel'],
  ['nothing to post', { message: '' }, '', 'there is nothing to post'],
  ['blocks that are no list', { blocks: '{}' }, '', 'blocks must be a list in JSON'],
])('%s is told', async (_, change, body, message) => {
  const at = await world()
  at.answer = () => ({ body })
  const answer = told(await at.fire({ slack: { ...slack, ...change } }, {}))
  expect(answer).toContain(message)
  expect(answer).not.toContain('t0p-secret')
})
