import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../lib/clock.ts'
import { seededIds } from '../lib/ids.ts'
import type { Credentials } from './access.ts'
import { type RemoteClient, remoteClient } from './remote-client.ts'

/** A server that answers as a test says, and a client of it. */
export interface HttpBench {
  readonly client: RemoteClient
  readonly url: string
  /** `GET /path`, in order. */
  readonly asked: string[]
  readonly headers: IncomingMessage['headers'][]
  readonly bodies: string[]
  readonly warnings: string[]
  close(): Promise<void>
}

export type Answer = (response: ServerResponse, turn: number) => void

export interface HttpBenchOptions {
  readonly clock: Clock
  readonly credentials?: Credentials
  readonly proxyUrl?: string
  readonly environment?: Readonly<Record<string, string>>
}

export async function httpBench(answer: Answer, options: HttpBenchOptions): Promise<HttpBench> {
  const asked: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const bodies: string[] = []
  const warnings: string[] = []
  const server = createServer((request, response) => {
    const turn = asked.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(body)
      answer(response, turn)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = remoteClient({
    access: {
      server: url,
      namespace: 'default',
      tls: {},
      credentials: options.credentials ?? { by: 'token', token: 'secret-token' },
      ...(options.proxyUrl ? { proxyUrl: options.proxyUrl } : {}),
    },
    clock: options.clock,
    ids: seededIds(),
    environment: options.environment ?? {},
    userAgent: 'idp/test',
    onWarning: (text) => warnings.push(text),
  })
  return {
    client,
    url,
    asked,
    headers,
    bodies,
    warnings,
    async close() {
      await client.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function json(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
