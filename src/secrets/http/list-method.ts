import type { Server } from 'node:http'
import { Duplex } from 'node:stream'

/*
 * Clients of Vault send a method that HTTP's registry does not have, LIST, and the parser below node:http refuses it. What
 * it refused is read again here as the GET that means the same, on a connection that ends with the answer.
 */
const LIST = Buffer.from('LIST /')

/** Makes a server take `LIST /path` as `GET /path?list=true`. Everything else that is no HTTP is refused as it was. */
export function allowListMethod(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer; bytesParsed?: number }, socket) => {
    const rewritten = error.code === 'HPE_INVALID_METHOD' ? rewrite(error.rawPacket, error.bytesParsed ?? 0) : undefined
    if (rewritten && socket.writable && !(socket instanceof SecondReading)) {
      server.emit('connection', new SecondReading(socket, rewritten))
      return
    }
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
}

/** What begins at the place that was refused, with the method and the query as they are understood. */
function rewrite(packet: Buffer | undefined, parsed: number): Buffer | undefined {
  // The parser stops within the word that it does not know.
  const start = packet?.indexOf(LIST, Math.max(0, parsed - LIST.length)) ?? -1
  if (!packet || start < 0 || start > parsed) return undefined
  const lineEnd = packet.indexOf('\r\n', start)
  const line = packet.subarray(start, lineEnd).toString('latin1')
  const [, target, version] = lineEnd < 0 ? [] : (/^LIST (\S+) (HTTP\/1\.[01])$/.exec(line) ?? [])
  if (target === undefined || version === undefined) return undefined
  const asked = `${target}${target.includes('?') ? '&' : '?'}list=true`
  const head = `GET ${asked} ${version}\r\nConnection: close`
  return Buffer.concat([Buffer.from(head, 'latin1'), packet.subarray(lineEnd)])
}

/** A connection whose first bytes are others than those that came. */
class SecondReading extends Duplex {
  readonly remoteAddress: string | undefined
  readonly #socket: Duplex

  constructor(socket: Duplex & { readonly remoteAddress?: string }, first: Buffer) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.remoteAddress = socket.remoteAddress
    socket.removeAllListeners('data')
    socket.removeAllListeners('end')
    this.push(first)
    socket.on('data', (part: Buffer) => {
      if (!this.push(part)) socket.pause()
    })
    socket.once('end', () => this.push(null))
    socket.once('close', () => this.destroy())
    socket.once('error', (error) => this.destroy(error))
    socket.resume()
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(part: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(part, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
