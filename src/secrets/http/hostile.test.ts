import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StoreWorld, storeWorld } from '../store/secret-store.testkit.ts'

let world: StoreWorld

beforeAll(async () => {
  world = await storeWorld()
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  await world.ask('POST', 'kv/a', { b: 1 })
})
afterAll(() => world.close())

/** Sends bytes as they are and answers what comes back until the connection ends. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.end(text)
  let answer = ''
  for await (const part of socket as AsyncIterable<Buffer>) answer += part.toString()
  return answer
}

const get = (path: string, more = ''): Promise<string> =>
  raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${world.rootToken}\r\nConnection: close\r\n${more}\r\n`)

test.each([
  ['a way up', '/v1/kv/../sys/mounts'],
  ['a way up that is encoded', '/v1/kv/%2e%2e/sys/mounts'],
  ['a slash that is encoded, and a way up', '/v1/kv%2f..%2fsys'],
  ['an empty segment', '/v1/kv//a'],
  ['a segment that is a dot', '/v1/kv/./a'],
  ['a zero byte', '/v1/kv/%00'],
  ['a new line', '/v1/kv/a%0d%0ab'],
  ['what is no UTF-8', '/v1/kv/%ff%fe'],
  ['a broken escape', '/v1/kv/%zz'],
  ['a path that is far too long', `/v1/kv/${'a'.repeat(2_000)}`],
])('%s in a path is refused', async (_, path) => {
  expect(await get(path)).toMatch(/^HTTP\/1\.1 400 /)
})

test.each([
  ['another API', '/v2/kv/a'],
  ['the root', '/'],
  ['a whole URL', 'http://elsewhere/v1/kv/a'],
])('%s is not found', async (_, path) => {
  expect(await get(path)).toMatch(/^HTTP\/1\.1 404 /)
})

test.each([
  ['no JSON', '{', 'it is not JSON'],
  ['a list', '[]', 'it is not an object'],
  ['a text', '"x"', 'it is not an object'],
  ['100,000 nested objects', '{"a":'.repeat(100_000), 'nested deeper than'],
  ['100,000 nested lists', `{"a":${'['.repeat(100_000)}`, 'nested deeper than'],
])('a body that is %s is refused without repeating it', async (_, body, message) => {
  const answer = await world.ask('POST', 'kv/x', body)
  expect([answer.status, answer.body.errors[0]]).toEqual([400, expect.stringContaining(message)])
})

test('a body that is no UTF-8 is refused', async () => {
  const head = `POST /v1/kv/x HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${world.rootToken}\r\nConnection: close\r\n`
  const answer = await raw(`${head}Content-Length: 4\r\n\r\n{"\u00ff`)
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
})

test('a body that is too large is refused while it comes', async () => {
  const answer = await world.ask('POST', 'kv/x', `{"a":"${'x'.repeat(9 * 2 ** 20)}"}`).catch((error: unknown) => error)
  // A client that still sends may see the connection end first.
  expect(answer instanceof Error || (answer as { status: number }).status === 413).toBe(true)
  expect((await world.ask('GET', 'kv/a')).status).toBe(200)
})

test('namespaces are refused, and the root namespace is not', async () => {
  expect((await world.ask('GET', 'kv/a', undefined, { headers: { 'x-vault-namespace': 'team/' } })).status).toBe(400)
  expect((await world.ask('GET', 'kv/a', undefined, { headers: { 'x-vault-namespace': 'root' } })).status).toBe(200)
})

test.each([
  ['no token', ''],
  ['a wrong token', 'hvs.wrong'],
  ['a token that is far too long', 'x'.repeat(10_000)],
])('with %s, nothing is answered', async (_, token) => {
  const answer = await world.ask('GET', 'kv/a', undefined, { token })
  expect([answer.status, answer.body.errors]).toEqual([403, ['permission denied']])
  // Nor whether there is something.
  const none = await world.ask('GET', 'nowhere/a', undefined, { token })
  expect([none.status, none.body.errors]).toEqual([403, ['permission denied']])
})

test.each([
  ['a word', 'soon'],
  ['a negative time', '-1'],
])('a time to wrap for that is %s is refused', async (_, ttl) => {
  expect((await world.ask('GET', 'kv/a', undefined, { headers: { 'x-vault-wrap-ttl': ttl } })).status).toBe(400)
})

test('LIST is understood as a method, also behind other requests on one connection', async () => {
  const head = `Host: x\r\nX-Vault-Token: ${world.rootToken}\r\n`
  const one = await raw(`LIST /v1/kv HTTP/1.1\r\n${head}\r\n`)
  expect(one).toContain('"keys":["a"]')
  const two = await raw(`GET /v1/kv/a HTTP/1.1\r\n${head}\r\nLIST /v1/kv/?x=LIST%20/ HTTP/1.1\r\n${head}\r\n`)
  expect(two.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
  expect(two).toContain('"keys":["a"]')
})

test.each([
  ['an unknown method', 'LISTEN /v1/kv HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['LIST without a version', 'LIST /v1/kv\r\n\r\n', 400],
  ['LIST within a LIST', 'LIST /v1/kv HTTP/1.1\r\nHost: x\r\nLIST /: y\r\n\r\n', 400],
  ['two lengths', 'POST /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}', 400],
  [
    'a length beside chunks',
    'POST /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    400,
  ],
  ['a method that nobody has here', 'OPTIONS /v1/kv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 405],
])('%s is refused', async (_, text, status) => {
  expect(await raw(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

test('names of fields and paths that objects have do no harm', async () => {
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
    expect((await world.ask('GET', `kv/${name}`)).status).toBe(404)
    expect((await world.ask('GET', `${name}/a`)).status).toBe(404)
    expect((await world.ask('GET', `sys/${name}`)).status).toBe(404)
    expect((await world.ask('GET', `sys/policies/acl/${name}`)).status).toBe(404)
    expect((await world.ask('GET', `auth/token/roles/${name}`)).status).toBe(404)
  }
  expect((await world.ask('GET', 'kv/a?__proto__=x&constructor=y')).status).toBe(200)
})
