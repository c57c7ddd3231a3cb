import { Buffer } from 'node:buffer'
import { type Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { SpdySession, SpdyStream } from './spdy-session.ts'

/** Connects to a port of a Pod. */
export type Dial = (port: number) => Promise<Duplex>

const because = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Forwards ports over SPDY: every connection is a pair of streams, one for data and one for what went wrong. */
export async function forwardOverSpdy(session: SpdySession, dial: Dial): Promise<void> {
  const errors = new Map<string, SpdyStream>()
  await session.run((stream) => {
    const id = stream.headers.get('requestid') ?? stream.headers.get('port') ?? ''
    if (stream.headers.get('streamtype') === 'error') {
      stream.resume()
      errors.set(id, stream)
      return
    }
    const error = errors.get(id)
    errors.delete(id)
    void forward(stream, error, Number(stream.headers.get('port')), dial)
  })
}

async function forward(stream: SpdyStream, error: SpdyStream | undefined, port: number, dial: Dial): Promise<void> {
  try {
    const connection = await dial(port)
    connection.on('error', () => stream.destroy())
    stream.on('close', () => connection.destroy())
    connection.on('close', () => error?.end())
    stream.pipe(connection)
    connection.pipe(stream)
  } catch (refusal) {
    error?.end(`cannot forward to port ${port}: ${because(refusal)}`)
    stream.end()
  }
}

/** Forwards ports over a WebSocket: for each port a channel for data and one for errors, which begin with the port's number. */
export async function forwardOverWebSocket(socket: WebSocket, ports: readonly number[], dial: Dial): Promise<void> {
  const connections = new Map<number, Duplex>()
  const send = (channel: number, bytes: Buffer): void => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([channel]), bytes]))
  }
  const numberOf = (port: number): Buffer => Buffer.from([port & 255, port >> 8])
  socket.on('message', (data: Buffer) => {
    connections.get(data[0] ?? 0)?.write(data.subarray(1))
  })
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('error', () => socket.terminate())
  await Promise.all(
    ports.map(async (port, at) => {
      const [data, error] = [at * 2, at * 2 + 1]
      send(data, numberOf(port))
      send(error, numberOf(port))
      try {
        const connection = await dial(port)
        connections.set(data, connection)
        connection.on('data', (bytes: Buffer) => send(data, bytes))
        connection.on('error', (failure) => send(error, Buffer.from(because(failure))))
        connection.on('close', () => socket.close(1000))
      } catch (refusal) {
        send(error, Buffer.from(`cannot forward to port ${port}: ${because(refusal)}`))
      }
    }),
  )
  await closed
  for (const connection of connections.values()) connection.destroy()
}
