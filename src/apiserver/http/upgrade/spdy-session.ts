import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import { HeaderReader, type SpdyHeaders, HeaderWriter } from './spdy-headers.ts'

const VERSION = 3
const SYN_STREAM = 1
const SYN_REPLY = 2
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const FIN = 1
const LARGEST_FRAME = 1024 * 1024
const LARGEST_DATA = 64 * 1024
const MOST_STREAMS = 1_000

function controlFrame(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(0x8000 | VERSION, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(body.length, 4)
  head.writeUInt8(flags, 4)
  return Buffer.concat([head, body])
}

function dataFrame(id: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(id, 0)
  head.writeUInt32BE(body.length, 4)
  head.writeUInt8(flags, 4)
  return Buffer.concat([head, body])
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4)
  return bytes
}

type SendFrame = (frame: Buffer, done: (error?: Error | null) => void) => void

/** One stream that the client has opened. */
export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: SpdyHeaders
  readonly #send: SendFrame
  #room: (() => void) | undefined

  constructor(id: number, headers: SpdyHeaders, send: SendFrame) {
    super({ allowHalfOpen: true })
    this.id = id
    this.headers = headers
    this.#send = send
    this.on('error', () => {})
  }

  /** Takes what came from the client; resolves when there is room for more. */
  async receive(bytes: Buffer | null): Promise<void> {
    if (this.destroyed || this.readableEnded || this.push(bytes) || bytes === null) return
    await new Promise<void>((resolve) => {
      this.#room = resolve
      this.once('close', resolve)
    })
  }

  override _read(): void {
    this.#room?.()
    this.#room = undefined
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const parts: Buffer[] = []
    for (let at = 0; at < chunk.length; at += LARGEST_DATA)
      parts.push(dataFrame(this.id, 0, chunk.subarray(at, at + LARGEST_DATA)))
    this.#send(Buffer.concat(parts), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#send(dataFrame(this.id, FIN, Buffer.alloc(0)), done)
  }
}

/** The server's side of SPDY/3.1 as Kubernetes clients speak it: they open streams, nobody controls flow. */
export class SpdySession {
  readonly #transport: Duplex
  readonly #reader = new HeaderReader()
  readonly #writer = new HeaderWriter()
  readonly #streams = new Map<number, SpdyStream>()
  #buffer: Buffer = Buffer.alloc(0)
  #last = 0

  constructor(transport: Duplex) {
    this.#transport = transport
  }

  /** Serves until the client goes; each stream is handed on once the client has been answered. */
  async run(opened: (stream: SpdyStream) => void): Promise<void> {
    try {
      for await (const chunk of this.#transport) {
        this.#buffer = this.#buffer.length === 0 ? (chunk as Buffer) : Buffer.concat([this.#buffer, chunk as Buffer])
        for (let frame = this.#frame(); frame; frame = this.#frame()) await this.#handle(frame, opened)
      }
    } catch {
      // A client that leaves in the middle, or speaks something else, ends the session; there is nobody to tell.
    } finally {
      for (const stream of this.#streams.values()) stream.destroy()
      this.#reader.close()
      this.#writer.close()
      this.#transport.destroy()
    }
  }

  /** Says that no more will come, and ends the connection when everything is written. */
  end(): void {
    if (this.#transport.destroyed) return
    this.#transport.write(controlFrame(GOAWAY, 0, numbers(this.#last, 0)))
    this.#transport.end()
  }

  #frame(): Buffer | undefined {
    if (this.#buffer.length < 8) return undefined
    const length = this.#buffer.readUInt32BE(4) & 0xffffff
    if (length > LARGEST_FRAME) throw new Error('a frame is too large')
    if (this.#buffer.length < 8 + length) return undefined
    const frame = this.#buffer.subarray(0, 8 + length)
    this.#buffer = this.#buffer.subarray(8 + length)
    return frame
  }

  async #handle(frame: Buffer, opened: (stream: SpdyStream) => void): Promise<void> {
    const flags = frame.readUInt8(4)
    const body = frame.subarray(8)
    if ((frame.readUInt8(0) & 0x80) === 0) {
      const stream = this.#streams.get(frame.readUInt32BE(0) & 0x7fffffff)
      if (body.length > 0) await stream?.receive(Buffer.from(body))
      if ((flags & FIN) !== 0) await stream?.receive(null)
      return
    }
    switch (frame.readUInt16BE(2)) {
      case SYN_STREAM:
        return this.#open(body, flags, opened)
      case RST_STREAM:
        this.#streams.get(body.readUInt32BE(0) & 0x7fffffff)?.destroy()
        return
      case PING:
        this.#transport.write(controlFrame(PING, 0, Buffer.from(body)))
        return
      case GOAWAY:
        this.#transport.end()
        return
      default:
    }
  }

  async #open(body: Buffer, flags: number, opened: (stream: SpdyStream) => void): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fffffff
    const headers = await this.#reader.read(body.subarray(10))
    if (this.#streams.size >= MOST_STREAMS || this.#streams.has(id)) {
      const REFUSED = 3
      this.#transport.write(controlFrame(RST_STREAM, 0, numbers(id, REFUSED)))
      return
    }
    this.#last = Math.max(this.#last, id)
    const stream = new SpdyStream(id, headers, (bytes, done) => {
      if (this.#transport.destroyed || this.#transport.writableEnded) done()
      else this.#transport.write(bytes, done)
    })
    this.#streams.set(id, stream)
    stream.on('close', () => this.#streams.delete(id))
    const reply = Buffer.concat([numbers(id), await this.#writer.write(new Map())])
    this.#transport.write(controlFrame(SYN_REPLY, 0, reply))
    opened(stream)
    if ((flags & FIN) !== 0) await stream.receive(null)
  }
}
