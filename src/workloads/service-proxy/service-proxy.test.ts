import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { silentLog } from '../../lib/log.ts'
import { LoopbackAddresses, loopbackNetworks } from './loopback.ts'
import { planProxy } from './plan.ts'
import { ServiceProxy } from './service-proxy.ts'

const service: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'team' },
  spec: {
    ports: [
      { name: 'http', port: 8080 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  },
}
const slice = (port: number, ...endpoints: readonly object[]): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'team' },
  ports: [{ name: 'http', port }],
  endpoints,
})

test.each([
  { name: 'nothing runs', slices: [], want: undefined },
  { name: 'only simulated Pods', slices: [slice(80, { addresses: ['10.88.0.2'] })], want: undefined },
  {
    name: 'nothing is ready',
    slices: [slice(80, { addresses: ['127.89.0.1'], conditions: { ready: false } })],
    want: undefined,
  },
  {
    name: 'some really run',
    slices: [slice(80, { addresses: ['127.89.0.1'], conditions: { ready: true } }, { addresses: ['10.88.0.2'] })],
    want: {
      names: ['web.team', 'web.team.svc', 'web.team.svc.cluster.local'],
      ports: new Map([[8080, [{ address: '127.89.0.1', port: 80 }]]]),
    },
  },
])('a Service is reachable where its Pods really run: $name', ({ slices, want }) => {
  expect(planProxy(service, slices)).toEqual(want)
})

test('addresses stay with their owner, come back where they were, and are given out again', () => {
  const addresses = new LoopbackAddresses('127.89')
  expect([addresses.of('a'), addresses.of('b'), addresses.of('a')]).toEqual(['127.89.0.1', '127.89.0.2', '127.89.0.1'])
  expect(addresses.of('c', '127.89.7.7')).toBe('127.89.7.7')
  expect(addresses.of('d', '127.89.7.7')).toBe('127.89.0.3')
  expect(addresses.of('e', '10.0.0.1')).toBe('127.89.0.4')
})

let folder: string
let proxy: ServiceProxy
const servers: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'idp-proxy-'))
  proxy = new ServiceProxy(join(folder, 'hosts'), '127.90', silentLog)
})
afterEach(() => {
  proxy.close()
  for (const server of servers.splice(0)) server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function answering(word: string): Promise<{ readonly address: string; readonly port: number }> {
  const server = createServer((socket) => socket.end(word)).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { address: '127.0.0.1', port: (server.address() as { readonly port: number }).port }
}

function ask(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    let text = ''
    socket.on('data', (bytes) => (text += String(bytes)))
    socket.on('error', (error: NodeJS.ErrnoException) => (text = error.code ?? ''))
    socket.on('close', () => resolve(text))
  })
}

test('clients are passed to endpoints in turn, past those that refuse', async () => {
  const [a, b] = [await answering('a'), await answering('b')]
  const dead = { address: '127.0.0.1', port: 1 }
  const names = ['web.team']
  await proxy.set('team/web', { names, ports: new Map([[18_080, [a, dead, b]]]) })
  const address = proxy.addressOf('team/web') ?? ''
  expect(readFileSync(proxy.hostsFile, 'utf8')).toContain(`${address} web.team\n`)
  expect(new Set([await ask(address, 18_080), await ask(address, 18_080), await ask(address, 18_080)])).toEqual(
    new Set(['a', 'b']),
  )
  await proxy.set('team/web', { names, ports: new Map([[18_080, [b]]]) })
  expect([await ask(address, 18_080), await ask(address, 18_080)]).toEqual(['b', 'b'])
  await proxy.set('team/web', undefined)
  expect(await ask(address, 18_080)).toBe('ECONNREFUSED')
  expect(readFileSync(proxy.hostsFile, 'utf8')).not.toContain('web.team')
})

test('clusters have networks of their own, the same ones every time', () => {
  const all = Array.from({ length: 50 }, (_, at) => loopbackNetworks(`/state/${at}`))
  expect(loopbackNetworks('/state/0')).toEqual(all[0])
  expect(new Set(all.map(({ pods }) => pods)).size).toBeGreaterThan(25)
  for (const { pods, services } of all) expect(services).not.toBe(pods)
})
