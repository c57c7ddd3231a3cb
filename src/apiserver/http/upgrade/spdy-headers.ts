import { Buffer } from 'node:buffer'
import { createDeflate, createInflate, constants, type Deflate, type Inflate } from 'node:zlib'

/** The words that header blocks of SPDY/3 are compressed against; each comes with its length in front. */
const words = [
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow',
  'authorization cache-control connection content-base content-encoding content-language content-length',
  'content-location content-md5 content-range content-type date etag expect expires from host if-match',
  'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma',
  'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade',
  'user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie',
  'keep-alive origin',
].flatMap((line) => line.split(' ').map((word) => word.replace('_', ' ')))

/** What follows the words, as it is. */
const rest = [
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505',
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized',
  '403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable',
  'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT',
  'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,',
  'text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.',
].join('')

function counted(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** The dictionary of SPDY/3. */
export const dictionary: Buffer = Buffer.concat([...words.map(counted), Buffer.from(rest)])

const LARGEST_BLOCK = 64 * 1024
const MOST_HEADERS = 100

/** Header names in lower case, with their values. */
export type SpdyHeaders = ReadonlyMap<string, string>

/** Reads header blocks of one direction of a session: each continues where the one before ended. */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH })
  #parts: Buffer[] = []
  #size = 0

  constructor() {
    this.#inflate.on('error', () => {})
    this.#inflate.on('data', (part: Buffer) => {
      this.#size += part.length
      if (this.#size > LARGEST_BLOCK) this.#inflate.destroy(new Error('a header block is too large'))
      else this.#parts.push(part)
    })
  }

  async read(block: Buffer): Promise<SpdyHeaders> {
    this.#parts = []
    this.#size = 0
    await new Promise<void>((resolve, reject) => {
      this.#inflate.once('error', reject)
      this.#inflate.write(block, () => {
        if (this.#inflate.destroyed) return
        this.#inflate.removeListener('error', reject)
        resolve()
      })
    })
    return headersIn(Buffer.concat(this.#parts))
  }

  close(): void {
    this.#inflate.destroy()
  }
}

function headersIn(bytes: Buffer): SpdyHeaders {
  let at = 0
  const number = (): number => {
    const value = bytes.readUInt32BE(at)
    at += 4
    return value
  }
  const text = (): string => {
    const length = number()
    if (length > bytes.length - at) throw new Error('a header block is cut off')
    at += length
    return bytes.toString('utf8', at - length, at)
  }
  const count = number()
  if (count > MOST_HEADERS) throw new Error('a header block has too many headers')
  const headers = new Map<string, string>()
  for (let left = count; left > 0; left--) headers.set(text().toLowerCase(), text())
  return headers
}

/** Writes header blocks of one direction of a session. */
export class HeaderWriter {
  readonly #deflate: Deflate = createDeflate({ dictionary })

  async write(headers: SpdyHeaders): Promise<Buffer> {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(headers.size)
    const block = Buffer.concat([count, ...[...headers].flatMap(([name, value]) => [counted(name), counted(value)])])
    await new Promise<void>((resolve) => {
      this.#deflate.write(block)
      this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve)
    })
    const bytes: unknown = this.#deflate.read()
    return Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)
  }

  close(): void {
    this.#deflate.destroy()
  }
}
