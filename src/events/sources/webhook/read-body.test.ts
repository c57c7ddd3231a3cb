import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { movableClock } from '../../../lib/clock.ts'
import { type BodyBudget, readBody } from './read-body.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that says how it has read a body. */
async function reading(budget: BodyBudget): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = []
  const clock = movableClock()
  const server = createServer((request, response) => {
    void readBody(request, 100, { clock, budget }).then((read) => {
      seen.push(read.ok ? `${read.body.length} bytes` : read.because)
      read.giveBack()
      response.end('done')
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, seen }
}
const post = async (port: number, size: number): Promise<void> => {
  await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x'.repeat(size) })
}

test('all bodies together take no more memory than there is for them, and give it back', async () => {
  const budget = { left: 50 }
  const { port, seen } = await reading(budget)
  await post(port, 50)
  await post(port, 51)
  await post(port, 20)
  expect(seen).toEqual(['50 bytes', 'too-much', '20 bytes'])
  expect(budget.left).toBe(50)
})

test('a sender that breaks off is noticed, and its memory given back', async () => {
  const budget = { left: 50 }
  const { port, seen } = await reading(budget)
  const socket = connect(port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n\r\nabc')
  await expect.poll(() => budget.left).toBe(47)
  socket.destroy()
  await expect.poll(() => seen).toEqual(['broken-off'])
  expect(budget.left).toBe(50)
})
