import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { GatewayProxy } from './gateway-proxy.ts'
import { listener, rule, TestGateway } from './proxy.testkit.ts'

const gateway = new TestGateway()
const proxy = new GatewayProxy(gateway.world)
afterEach(async () => {
  await proxy.close()
  await gateway.close()
})

test('ports are bound, changed and given up as told, and figures of routes that are gone are forgotten', async () => {
  const to = await gateway.backend('team/web:80', (_request, response) => response.end('ok'))
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  const spec = { address: '127.0.0.1', port, listeners: [listener([rule(to)])] }
  const problems = await proxy.apply([spec])
  expect(problems.get(`127.0.0.1:${port}`)).toContain('EADDRINUSE')
  probe.close()
  await once(probe, 'close')
  expect(await proxy.apply([spec])).toEqual(new Map())

  const status = async (): Promise<number | string | undefined> => {
    const call = request({ port, host: '127.0.0.1', headers: { host: 'a' }, agent: false })
    call.end()
    try {
      const [response] = await once(call, 'response')
      response.resume()
      return response.statusCode
    } catch (error) {
      return (error as NodeJS.ErrnoException).code
    }
  }
  expect(await status()).toBe(200)
  expect(gateway.metrics.text()).toContain('route="HTTPRoute/team/web"')
  await proxy.apply([{ ...spec, listeners: [listener([])] }])
  expect(gateway.metrics.text()).not.toContain('route="HTTPRoute/team/web"')
  expect(await status()).toBe(404)
  await proxy.apply([])
  expect(await status()).toBe('ECONNREFUSED')
})
