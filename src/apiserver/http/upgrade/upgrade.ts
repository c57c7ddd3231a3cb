import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import type { Connection } from '../../request.ts'
import { commandOverSpdy, commandOverWebSocket, type CommandWish } from './command-session.ts'
import { forwardOverSpdy, forwardOverWebSocket } from './forward-session.ts'
import { SpdySession } from './spdy-session.ts'

/** A connection that its client wants to speak something else over. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  /** Gives up answering in HTTP: from then on the socket is the caller's. */
  release(): void
}

const LARGEST_MESSAGE = 16 * 1024 * 1024
const TUNNEL = 'SPDY/3.1+portforward.k8s.io'
const commandProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const
const spdyProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const
const FORWARD = 'portforward.k8s.io'

const listed = (value: string | readonly string[] | undefined): readonly string[] =>
  String(value ?? '')
    .split(',')
    .map((one) => one.trim())

/** Serves a command or forwarded ports over SPDY or a WebSocket; answers why that cannot be, if it cannot. */
export async function serveUpgrade(upgrade: Upgrade, connection: Connection): Promise<string | undefined> {
  const { request, socket } = upgrade
  const protocol = (request.headers.upgrade ?? '').toLowerCase()
  socket.on('error', () => socket.destroy())
  if (protocol === 'websocket') return overWebSocket(upgrade, connection)
  if (protocol !== 'spdy/3.1') return `cannot upgrade to ${JSON.stringify(protocol)}: use SPDY/3.1 or websocket`
  const offered = listed(request.headers['x-stream-protocol-version'])
  const known: readonly string[] = connection.kind === 'portforward' ? [FORWARD] : spdyProtocols
  const chosen = known.find((one) => offered.includes(one))
  if (chosen === undefined) return `none of the protocols ${offered.join(', ')} is served; use ${known.join(', ')}`
  upgrade.release()
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
  )
  if (upgrade.head.length > 0) socket.unshift(upgrade.head)
  await overSpdy(socket, request, connection)
  return undefined
}

function overSpdy(transport: Duplex, request: IncomingMessage, { run, dial }: Connection): Promise<void> {
  const session = new SpdySession(transport)
  if (run) return commandOverSpdy(session, wishOf(request), run)
  return forwardOverSpdy(session, dial ?? (() => Promise.reject(new Error('there is nothing to connect to'))))
}

async function overWebSocket(upgrade: Upgrade, connection: Connection): Promise<string | undefined> {
  const { request, socket, head } = upgrade
  const offered = listed(request.headers['sec-websocket-protocol'])
  const known: readonly string[] = connection.kind === 'portforward' ? [TUNNEL, 'v4.channel.k8s.io'] : commandProtocols
  const chosen = known.find((one) => offered.includes(one))
  if (chosen === undefined) return `none of the protocols ${offered.join(', ')} is served; use ${known.join(', ')}`
  upgrade.release()
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE,
    perMessageDeflate: false,
    handleProtocols: () => chosen,
  })
  const opened = await new Promise<WebSocket>((resolve) => server.handleUpgrade(request, socket, head, resolve))
  if (chosen === TUNNEL) await overSpdy(createWebSocketStream(opened), request, connection)
  else if (connection.run) await commandOverWebSocket(opened, wishOf(request), connection.run)
  else if (connection.dial) await forwardOverWebSocket(opened, portsOf(request), connection.dial)
  return undefined
}

const queryOf = (request: IncomingMessage): URLSearchParams =>
  new URL(request.url ?? '/', 'https://localhost').searchParams

function wishOf(request: IncomingMessage): CommandWish {
  const query = queryOf(request)
  const isTrue = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '')
  return { stdin: isTrue('stdin'), stdout: isTrue('stdout'), stderr: isTrue('stderr'), tty: isTrue('tty') }
}

const portsOf = (request: IncomingMessage): readonly number[] =>
  queryOf(request)
    .getAll('ports')
    .flatMap((ports) => ports.split(','))
    .map(Number)
    .filter((port) => Number.isInteger(port) && port > 0 && port < 65_536)
