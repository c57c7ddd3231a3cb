import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listener, rule, TestGateway } from './proxy.testkit.ts'

let gateway: TestGateway
const sockets: Socket[] = []
beforeEach(() => {
  gateway = new TestGateway()
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await gateway.close()
})

/** What a client hears until its connection ends, having sent something and then nothing more. */
async function hears(port: number, sent: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {})
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  if (sent !== '') socket.write(sent)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

const soon = { greetingMs: 60, headMs: 120, idleMs: 200, keepMs: 60 }

test.each([
  { name: 'says nothing', sent: '', want: /^$/ },
  { name: 'says half a greeting of HTTP/2', sent: 'PRI * HT', want: /^$/ },
  { name: 'never ends its head', sent: 'GET / HTTP/1.1\r\nhost: a\r\nx: ', want: /^HTTP\/1.1 4\d\d/ },
  { name: 'asks nothing more', sent: 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', want: /^HTTP\/1.1 200/ },
  { name: 'never ends its body', sent: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab', want: /^$/ },
])('a client that $name is not waited for', async ({ sent, want }) => {
  const { port } = await gateway.port([listener([rule(await gateway.backend('team/web:80'))])], {}, soon)
  expect(await hears(port, sent)).toMatch(want)
})

test('a greeting of TLS that never ends is not waited for, with and without listeners that look into it', async () => {
  const tls = [listener([], { mode: 'https', port: 443, host: 'a' })]
  const mixed = [...tls, listener([], { mode: 'passthrough', port: 443, host: 'b' })]
  for (const listeners of [tls, mixed]) {
    const { port } = await gateway.port(listeners, {}, soon)
    expect(await hears(port, '\u0016\u0003\u0001\u0001\u0000')).toBe('')
  }
})

test('many idle connections leave room for a request, and no more than the limit are taken', async () => {
  const to = await gateway.backend('team/web:80', (_request, response) => response.end('ok'))
  const { port } = await gateway.port([listener([rule(to)])], {}, { connections: 1_001 })
  for (let at = 0; at < 1_000; at += 100) {
    const some = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    sockets.push(...some)
    await Promise.all(some.map((socket) => once(socket, 'connect')))
  }
  const call = request({ port, host: '127.0.0.1', headers: { host: 'a' }, agent: false })
  call.end()
  const [response] = await once(call, 'response')
  expect(response.statusCode).toBe(200)
  response.resume()
  const [first, second] = await Promise.all(
    [0, 1].map(async () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      sockets.push(socket)
      await once(socket, 'connect')
      return socket
    }),
  )
  await Promise.race([first, second].map((socket) => once(socket!, 'close')))
  expect(gateway.metrics.text()).toMatch(/idp_gateway_connections\{port="0"\} 100[01]/)
})
