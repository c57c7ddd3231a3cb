/** What the greeting of a TLS connection says about whom it is for. */
export type Greeting =
  | { readonly is: 'greeting'; readonly serverName: string | undefined }
  /** There is more to come before it can be told. */
  | { readonly is: 'partial' }
  | { readonly is: 'other' }

const HANDSHAKE = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const RECORD_HEAD = 5
/** Longer greetings are no greetings. */
const LONGEST = 32 * 1024

/** Reads the first bytes of a connection as a greeting of TLS, which may come in several records. */
export function readGreeting(bytes: Buffer): Greeting {
  const handshake = handshakeOf(bytes)
  if (typeof handshake === 'string') return { is: handshake }
  if (handshake.length < 4) return { is: bytes.length > LONGEST ? 'other' : 'partial' }
  if (handshake[0] !== CLIENT_HELLO) return { is: 'other' }
  const length = handshake.readUIntBE(1, 3)
  if (length > LONGEST) return { is: 'other' }
  if (handshake.length < 4 + length) return { is: 'partial' }
  const serverName = serverNameOf(handshake.subarray(4, 4 + length))
  return serverName === 'none' ? { is: 'other' } : { is: 'greeting', serverName: serverName.name }
}

/** The handshake messages within the records so far. */
function handshakeOf(bytes: Buffer): Buffer | 'partial' | 'other' {
  const parts: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes[at] !== HANDSHAKE) return parts.length === 0 ? 'other' : Buffer.concat(parts)
    if (bytes.length < at + RECORD_HEAD) break
    if (bytes[at + 1] !== 3) return 'other'
    const length = bytes.readUInt16BE(at + 3)
    if (length === 0 || length > 16 * 1024 + 256) return 'other'
    parts.push(bytes.subarray(at + RECORD_HEAD, at + RECORD_HEAD + length))
    at += RECORD_HEAD + length
  }
  return parts.length === 0 ? 'partial' : Buffer.concat(parts)
}

/** A part of a message that is read from its start, and never beyond its end. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  number(size: number): number | undefined {
    if (this.#at + size > this.#bytes.length) return undefined
    this.#at += size
    return this.#bytes.readUIntBE(this.#at - size, size)
  }

  /** What follows a length of so many bytes. */
  block(sizeOfLength: number): Buffer | undefined {
    const length = this.number(sizeOfLength)
    return length === undefined ? undefined : this.skip(length)
  }

  skip(length: number): Buffer | undefined {
    if (this.#at + length > this.#bytes.length) return undefined
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

/** RFC 8446, 4.1.2, and RFC 6066, 3. */
function serverNameOf(hello: Buffer): { readonly name: string | undefined } | 'none' {
  const reader = new Reader(hello)
  const isRead = reader.skip(2 + 32) && reader.block(1) && reader.block(2) && reader.block(1)
  if (!isRead) return 'none'
  if (reader.isAtEnd) return { name: undefined }
  const extensions = reader.block(2)
  if (!extensions) return 'none'
  const list = new Reader(extensions)
  while (!list.isAtEnd) {
    const type = list.number(2)
    const data = list.block(2)
    if (type === undefined || !data) return 'none'
    if (type === SERVER_NAME) return nameOf(data)
  }
  return { name: undefined }
}

function nameOf(data: Buffer): { readonly name: string } | 'none' {
  const names = new Reader(data).block(2)
  if (!names) return 'none'
  const reader = new Reader(names)
  const type = reader.number(1)
  const name = reader.block(2)
  if (type !== 0 || !name || name.length === 0 || name.length > 255) return 'none'
  return { name: name.toString('latin1').toLowerCase() }
}
