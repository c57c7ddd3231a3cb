import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect as connectH2 } from 'node:http2'
import { request } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningApi, startApi } from './api-server.ts'

let api: RunningApi
let session: ClientHttp2Session

beforeAll(async () => {
  api = await startApi()
  session = connectH2(api.url, api.credentials)
  session.on('error', () => {})
})
afterAll(async () => {
  session?.destroy()
  await api?.remove()
})

interface Answer {
  readonly status: number
  readonly text: string
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

/** One request over HTTP/1.1 with a connection of its own. */
function ask(
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const url = new URL(path, api.url)
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      ...api.credentials,
      agent: false,
      headers: { 'content-type': 'application/json', ...headers },
    })
    sent.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    // A server that refuses a body may close before it has all of it.
    let isAnswered = false
    sent.on('response', () => (isAnswered = true))
    sent.on('error', (error) => (isAnswered ? undefined : reject(error)))
    sent.end(body)
  })
}

const object = (more: object): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, ...more })

/** Others are still served, and quickly enough that nobody has to wait for the attack to end. */
async function expectServing(): Promise<void> {
  expect(await ask('GET', '/readyz')).toEqual({ status: 200, text: 'ok' })
}

const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${api.pid}/status`, 'utf8'))?.[1]) / 1024

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

const bomb = `a: &a [x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]
g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]
h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]
i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]
`

const labels = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`label-${at}`, 'x'.repeat(20)]))

test.each<[string, string | Buffer, Record<string, string>, number, RegExp]>([
  ['a body of four megabytes', object({ data: { a: 'x'.repeat(4 * 1024 * 1024) } }), {}, 413, /larger than the limit/],
  ['a body that is no JSON', '{"a":', {}, 400, /error decoding/],
  ['a body in broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), {}, 400, /UTF-8/],
  ['a body nested a hundred thousand deep', nested(100_000), {}, 400, /nested too deeply|decoding/],
  [
    'a body nested five hundred deep',
    object({ data: { a: JSON.parse(nested(500)) as unknown } }),
    {},
    400,
    /nested too deeply/,
  ],
  ['a YAML body whose aliases explode', bomb, { 'content-type': 'application/yaml' }, 400, /too large|decoding/],
  ['a YAML body nested twenty thousand deep', '['.repeat(20_000), { 'content-type': 'application/yaml' }, 400, /./],
  ['a body in an unknown format', 'x', { 'content-type': 'text/csv' }, 415, /unknown format/],
  [
    'a protobuf body of noise',
    Buffer.from('k8s\0\xff\xff\xff\xff\xff\xff\xff\xff'),
    { 'content-type': 'application/vnd.kubernetes.protobuf' },
    400,
    /./,
  ],
  [
    'fifty thousand labels that are too long together',
    object({
      metadata: { name: 'x', annotations: Object.fromEntries(Object.keys(labels).map((key) => [key, 'x'.repeat(20)])) },
    }),
    {},
    422,
    /Too long/,
  ],
  ['a name that climbs', object({ metadata: { name: '../../etc/passwd' } }), {}, 422, /metadata\.name/],
  ['a prototype as a name', object({ metadata: { name: '__proto__' } }), {}, 422, /metadata\.name/],
])('%s is refused, and others are served', async (_name, body, headers, status, message) => {
  const answer = await ask('POST', CONFIG_MAPS, body, headers)
  expect(answer).toMatchObject({ status, text: expect.stringMatching(message) as string })
  expect(JSON.parse(answer.text)).toMatchObject({ kind: 'Status', status: 'Failure', code: status })
  await expectServing()
})

test.each([
  ['a selector of commas', '/api/v1/namespaces/default/configmaps?labelSelector=%2C%2C%2C', 400],
  ['a selector of 20 KB', `/api/v1/namespaces/default/configmaps?labelSelector=${'a,'.repeat(10_000)}`, 400],
  ['a broken continue token', '/api/v1/namespaces/default/configmaps?continue=%00%ff', 400],
  ['a limit that is no number', '/api/v1/namespaces/default/configmaps?limit=many', 400],
  ['a path that climbs', '/api/v1/namespaces/%2e%2e/configmaps/x', 404],
  ['a broken escape', '/api/v1/namespaces/default/configmaps/%E0%A4%A', 400],
  ['a prototype as a resource', '/api/v1/__proto__', 404],
  ['a prototype as a group', '/apis/constructor/v1/things', 404],
])('%s is refused', async (_name, path, status) => {
  const answer = await ask('GET', path)
  expect(answer.status).toBe(status)
})

test('names of prototypes are ordinary keys of data', async () => {
  const body =
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto"},"data":{"__proto__":"1","constructor":"2"}}'
  expect((await ask('POST', CONFIG_MAPS, body)).status).toBe(201)
  const { text } = await ask('GET', `${CONFIG_MAPS}/proto`)
  expect(text).toContain('"__proto__":"1"')
})

const definition = (pattern: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'evils.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'evils', kind: 'Evil' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { text: { type: 'string', pattern } } } },
          },
        },
      },
    ],
  },
})

test('a pattern that would take for ever takes no time', async () => {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  expect((await ask('POST', crds, JSON.stringify(definition('^(a+)+$')))).status).toBe(201)
  const evil = {
    apiVersion: 'example.com/v1',
    kind: 'Evil',
    metadata: { name: 'x' },
    spec: { text: `${'a'.repeat(5_000)}!` },
  }
  expect((await ask('POST', '/apis/example.com/v1/namespaces/default/evils', JSON.stringify(evil))).status).toBe(422)
  await expectServing()
})

test('clients that never finish their request hold nobody up', async () => {
  const { hostname, port } = new URL(api.url)
  const sockets = await Promise.all(
    Array.from({ length: 200 }, () => {
      const socket = connectTls({ host: hostname, port: Number(port), ...api.credentials, ALPNProtocols: ['http/1.1'] })
      socket.on('error', () => {})
      return new Promise<TLSSocket>((resolve) =>
        socket.once('secureConnect', () => {
          socket.write('POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Le')
          resolve(socket)
        }),
      )
    }),
  )
  await expectServing()
  for (const socket of sockets) socket.destroy()
})

test('thousands of idle watches cost little, and all of them are told', async () => {
  const before = residentMb()
  const COUNT = 3_000
  const sessions = Array.from({ length: 6 }, () => connectH2(api.url, api.credentials))
  let told = 0
  let allTold = (): void => {}
  const everybody = new Promise<void>((resolve) => (allTold = resolve))
  const opened = Array.from({ length: COUNT }, (_, at) => {
    const stream = sessions[at % sessions.length]!.request({
      ':path': '/api/v1/configmaps?watch=1&resourceVersion=1&labelSelector=w%3Dyes',
    })
    stream.on('error', () => {})
    stream.once('data', () => {
      told++
      if (told === COUNT) allTold()
    })
    return new Promise((resolve) => stream.once('response', resolve))
  })
  await Promise.all(opened)
  await expectServing()
  expect((residentMb() - before) / COUNT, 'megabytes a watch').toBeLessThan(0.1)
  expect((await ask('POST', CONFIG_MAPS, object({ metadata: { name: 'w', labels: { w: 'yes' } } }))).status).toBe(201)
  await everybody
  for (const one of sessions) one.destroy()
})

test('a reader that never reads is let go, and the server does not keep its backlog', async () => {
  const before = residentMb()
  const stream = session.request({ ':path': '/api/v1/configmaps?watch=1&resourceVersion=1&labelSelector=big%3Dyes' })
  stream.pause()
  stream.on('error', () => {})
  await new Promise((resolve) => stream.once('response', resolve))
  const payload = 'x'.repeat(900_000)
  for (let at = 0; at < 40; at++) {
    const body = object({ metadata: { name: 'big', labels: { big: 'yes' } }, data: { payload, at: String(at) } })
    const path = at === 0 ? CONFIG_MAPS : `${CONFIG_MAPS}/big`
    expect((await ask(at === 0 ? 'POST' : 'PUT', path, body)).status).toBeLessThan(300)
  }
  await expectServing()
  expect(residentMb() - before).toBeLessThan(300)
  stream.close()
})

test('an unknown token is refused, and no credentials see only health', async () => {
  const url = new URL(api.url)
  const get = (path: string, headers: Record<string, string> = {}): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, url), { ca: api.credentials.ca, agent: false, headers })
      sent.on('response', (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      sent.on('error', reject)
      sent.end()
    })
  expect(await get('/api/v1/namespaces', { authorization: 'Bearer nonsense' })).toBe(401)
  expect(await get('/api/v1/namespaces')).toBe(403)
  expect(await get('/healthz')).toBe(200)
  expect(await get('/metrics')).toBe(403)
})
