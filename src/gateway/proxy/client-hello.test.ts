import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readGreeting } from './client-hello.ts'

/** What Node's own client greets with. */
async function greeting(servername?: string): Promise<Buffer> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    ...(servername ? { servername } : {}),
  })
  client.on('error', () => {})
  const [socket] = await once(server, 'connection')
  const [bytes] = await once(socket, 'data')
  client.destroy()
  server.close()
  return bytes as Buffer
}

test('a greeting says whom it is for', async () => {
  const named = await greeting('App.Example')
  expect(readGreeting(named)).toEqual({ is: 'greeting', serverName: 'app.example' })
  expect(readGreeting(await greeting())).toEqual({ is: 'greeting', serverName: undefined })
})

test('a part of a greeting is waited for, whichever part it is, and however many records it comes in', async () => {
  const whole = await greeting('app.example')
  for (let length = 0; length < whole.length; length++)
    expect([length, readGreeting(whole.subarray(0, length)).is]).toEqual([length, 'partial'])
  const message = whole.subarray(5)
  const record = (part: Buffer): Buffer =>
    Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part])
  const split = Buffer.concat([
    record(message.subarray(0, 3)),
    record(message.subarray(3, 60)),
    record(message.subarray(60)),
  ])
  expect(readGreeting(split)).toEqual({ is: 'greeting', serverName: 'app.example' })
})

test('what is no greeting is told at once, and nothing of it is thrown', async () => {
  expect(readGreeting(Buffer.from('GET / HTTP/1.1\r\n')).is).toBe('other')
  const whole = await greeting('app.example')
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some)),
    fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
      const changed = Buffer.from(whole)
      changed[at] = byte
      return changed
    }),
  )
  fc.assert(fc.property(bytes, (some) => ['greeting', 'partial', 'other'].includes(readGreeting(some).is)))
})
