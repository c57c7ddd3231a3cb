import { type IncomingMessage, request as httpRequest, ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { describeError } from '../../lib/log.ts'
import { changeHeaders, namedByConnection, travels } from '../table/headers.ts'
import type { PortTable } from '../table/table.ts'
import { tlsConnectOptions } from './backend-tls.ts'
import { refuse } from './exchange.ts'
import type { ForwardPlan } from './forward.ts'
import { Http1Exchange } from './http1-exchange.ts'
import { serve } from './serve.ts'
import { splice } from './splice.ts'
import type { ProxyWorld } from './world.ts'

/** A request that wants to go on in another protocol, with what has arrived behind it. */
export interface Upgrading {
  readonly request: IncomingMessage
  readonly socket: Socket
  readonly head: Buffer
}

/** Lets a WebSocket through to its backend; every other wish to change the protocol is passed over, as HTTP allows. */
export function serveUpgrade({ request, socket, head }: Upgrading, table: PortTable, world: ProxyWorld): void {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.end())
  socket.on('error', () => {})
  const exchange = new Http1Exchange(request, response)
  if (exchange.hasBody) {
    refuse(exchange, 400, 'a request with a body cannot change the protocol')
    return
  }
  const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET'
  if (!isWebSocket) serve(exchange, table, world)
  else serve(exchange, table, world, (plan) => openTunnel(plan, response, { request, socket, head }))
}

function openTunnel(plan: ForwardPlan, response: ServerResponse, { socket, head }: Upgrading): void {
  const { exchange, target, world, path, headers, tell } = plan
  const endpoint = world.upstreams.choose(target.service, [])
  if (typeof endpoint === 'string') {
    refuse(exchange, 503, endpoint)
    tell(503)
    return
  }
  const place = `${endpoint.address}:${endpoint.port}`
  const open = target.tls ? httpsRequest : httpRequest
  const call = open({
    host: endpoint.address,
    port: endpoint.port,
    method: 'GET',
    path,
    headers: [...headers, 'connection', 'Upgrade', 'upgrade', 'websocket'],
    agent: false,
    timeout: 30_000,
    ...(target.tls ? tlsConnectOptions(target.tls) : {}),
  })
  const gone = (): void => void call.destroy()
  socket.once('close', gone)
  call.on('upgrade', (answer, far, farHead) => {
    world.upstreams.succeeded(endpoint)
    socket.off('close', gone)
    response.detachSocket(socket)
    greet(plan, answer, socket)
    if (farHead.length > 0) socket.write(farHead)
    if (head.length > 0) far.write(head)
    socket.setTimeout(0)
    splice(socket, far)
    tell(101, place)
  })
  // A backend that wants no WebSocket gets to say so; the connection ends with its answer.
  call.on('response', (answer) => {
    try {
      exchange.head(answer.statusCode ?? 502, travelling(answer), false)
    } catch {
      socket.destroy()
      return
    }
    answer.on('data', (chunk: Buffer) => void exchange.write(chunk))
    answer.on('end', () => {
      exchange.end([])
      tell(answer.statusCode ?? 502, place)
    })
    answer.on('error', () => socket.destroy())
  })
  call.on('timeout', () => call.destroy(new Error('the backend did not answer in time')))
  call.on('error', (error) => {
    if (socket.destroyed || exchange.isHeadSent) {
      socket.destroy()
      return
    }
    world.upstreams.failed(endpoint)
    world.figures.upstreamFailed(plan.action.route)
    world.log.debug('a backend did not answer', { service: target.service, because: describeError(error) })
    refuse(exchange, 502, 'the backend cannot be reached')
    tell(502, place)
  })
  call.end()
}

function greet({ action, more }: ForwardPlan, answer: IncomingMessage, socket: Socket): void {
  let headers = travelling(answer)
  if (more?.responseHeaders) headers = changeHeaders(headers, more.responseHeaders)
  if (action.filters.responseHeaders) headers = changeHeaders(headers, action.filters.responseHeaders)
  const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket']
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

function travelling({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = namedByConnection(headers.connection?.toLowerCase())
  const kept: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (travels(name.toLowerCase(), named)) kept.push(name, rawHeaders[at + 1] ?? '')
  }
  return kept
}
