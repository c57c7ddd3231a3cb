import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { succeed } from '../../../lib/result.ts'
import { silentLog } from '../../../lib/log.ts'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { newSigningKey, readTokenKeys } from '../../auth/service-account-tokens.ts'
import { makeCluster } from '../../cluster.ts'
import { admin, valueOf } from '../../apiserver.testkit.ts'
import { memoryStore } from '../../../store/memory-store.ts'
import { readFileSync } from 'node:fs'
import { type RunningServer, runApiServer } from '../../run.ts'
import type { Connection, SessionEnd, SessionStreams } from '../../request.ts'
import { dictionary } from './spdy-headers.ts'

/** A container that answers its input in capitals, and ends with the number that it is told. */
async function shout({ stdin, stdout, stderr }: SessionStreams): Promise<SessionEnd> {
  stderr?.write('ready\n')
  let text = ''
  for await (const part of stdin ?? []) text += String(part)
  stdout?.write(text.toUpperCase())
  return text === 'fail' ? { exitCode: 3 } : { exitCode: 0 }
}

let echo: Server
let running: RunningServer
let folder: string
let echoPort: number

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-upgrade-'))
  echo = createServer((socket) => socket.on('data', (bytes) => socket.write(`echo ${String(bytes)}`)))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  echoPort = (echo.address() as { readonly port: number }).port
  const dial = async (port: number): Promise<Socket> => {
    if (port !== 80) throw new Error('connection refused')
    const socket = connect(echoPort, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  const cluster = makeCluster({
    store: memoryStore(),
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    tokenKeys: readTokenKeys([newSigningKey()]),
    podRuntime: {
      connect: ({ kind }) =>
        Promise.resolve(succeed<Connection>(kind === 'portforward' ? { kind, dial } : { kind, run: shout })),
    },
  })
  const { server, authenticate } = cluster
  running = await runApiServer({
    server,
    authenticate,
    host: '127.0.0.1',
    port: 0,
    stateFolder: folder,
    clock: systemClock,
  })
  const pods = { resource: { group: '', version: 'v1', plural: 'pods' }, namespace: 'default' }
  const accounts = { resource: { group: '', version: 'v1', plural: 'serviceaccounts' }, namespace: 'default' }
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  valueOf(await server.client(admin).create(accounts, account))
  const spec = { containers: [{ name: 'app', image: 'app' }] }
  valueOf(await server.client(admin).create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }))
})

afterAll(async () => {
  await running.close()
  echo.close()
  rmSync(folder, { recursive: true, force: true })
})

const pki = (name: string): string => readFileSync(join(folder, 'pki', name), 'utf8')
const credentials = (): { readonly ca: string; readonly cert: string; readonly key: string } => ({
  ca: pki('ca.crt'),
  cert: pki('admin.crt'),
  key: pki('admin.key'),
})

async function command(
  protocol: string,
  input: string,
  path = 'exec?container=app&stdin=true&stdout=true&stderr=true',
) {
  const url = `${running.url.replace('https', 'wss')}/api/v1/namespaces/default/pods/web/${path}`
  const socket = new WebSocket(url, protocol, credentials())
  const channels = ['', '', '', '']
  const isText = protocol.startsWith('base64') || protocol.includes('.base64.')
  socket.on('message', (data: Buffer) => {
    const at = isText ? Number(String.fromCharCode(data[0] ?? 0)) : (data[0] ?? 0)
    channels[at] += isText ? Buffer.from(String(data.subarray(1)), 'base64').toString() : String(data.subarray(1))
  })
  await once(socket, 'open')
  socket.send(
    isText ? `0${Buffer.from(input).toString('base64')}` : Buffer.concat([Buffer.from([0]), Buffer.from(input)]),
  )
  socket.send(isText ? `${'\u00ff'}` : Buffer.from([255, 0]))
  await once(socket, 'close')
  return {
    stdout: channels[1],
    stderr: channels[2],
    status: JSON.parse(channels[3] ?? '{}') as Record<string, unknown>,
  }
}

describe('a command over a WebSocket', () => {
  test('gets its input and gives its output, its complaints and its end', async () => {
    expect(await command('v5.channel.k8s.io', 'hello')).toEqual({
      stdout: 'HELLO',
      stderr: 'ready\n',
      status: { metadata: {}, status: 'Success' },
    })
  })

  test('says the exit code of what failed', async () => {
    const { status } = await command('v5.channel.k8s.io', 'fail')
    expect(status).toMatchObject({ reason: 'NonZeroExitCode', details: { causes: [{ message: '3' }] } })
  })

  test('a protocol that nobody speaks is refused before the upgrade', async () => {
    await expect(command('v9.channel.k8s.io', '')).rejects.toThrow('400')
  })

  test('a Pod that is not there is answered as ever', async () => {
    await expect(command('v5.channel.k8s.io', '', '../nobody/exec')).rejects.toThrow('404')
  })
})

test('ports are forwarded over a WebSocket, and what cannot be reached is said', async () => {
  const url = `${running.url.replace('https', 'wss')}/api/v1/namespaces/default/pods/web/portforward?ports=80,81`
  const socket = new WebSocket(url, 'v4.channel.k8s.io', credentials())
  const channels = ['', '', '', '']
  const heard = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      channels[data[0] ?? 0] += String(data.subarray(1))
      if (channels[0]?.includes('echo') && channels[3]?.includes('refused')) resolve()
    })
  })
  await once(socket, 'open')
  socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('hi')]))
  await heard
  socket.close()
  expect(channels[0]).toBe('P\0echo hi')
  expect(channels[3]).toBe('Q\0cannot forward to port 81: connection refused')
})

async function spdy(path: string): Promise<TLSSocket> {
  const socket = connectTls({ ...credentials(), host: '127.0.0.1', port: Number(new URL(running.url).port) })
  await once(socket, 'secureConnect')
  socket.write(
    `POST /api/v1/namespaces/default/pods/web/${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n` +
      'X-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n',
  )
  return socket
}

test('the dictionary of SPDY is the one that everybody has', () => {
  let [a, b] = [1, 0]
  for (const byte of dictionary) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  expect(((b * 65_536 + a) >>> 0).toString(16)).toBe('e3c6a7c2')
})

const hostile: readonly (readonly [string, Buffer])[] = [
  ['nothing that is SPDY', Buffer.from('GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n')],
  ['a frame that is far too large', Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff, 0, 0, 0, 1])],
  [
    'a header block that is no block',
    Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
  ],
  [
    'a header block that unpacks without end',
    ((block) =>
      Buffer.concat([
        Buffer.from([0x80, 3, 0, 1, 0, 0, (block.length + 10) >> 8, (block.length + 10) & 255]),
        Buffer.alloc(10),
        block,
      ]))(deflateSync(Buffer.alloc(20_000_000), { dictionary })),
  ],
]

test.each(hostile)('a session ends when it is sent %s', async (_, bytes) => {
  const socket = await spdy('portforward')
  socket.on('error', () => {})
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(String(answer)).toContain('101 Switching Protocols')
  socket.resume()
  socket.write(bytes)
  await once(socket, 'close')
})
