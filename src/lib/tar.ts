import { gunzipSync, gzipSync } from 'node:zlib'
import { fail, type Result, succeed } from './result.ts'

/** A regular file of an archive. */
export interface TarFile {
  readonly name: string
  readonly data: Uint8Array
}

/** What an archive may hold. */
export interface TarLimits {
  readonly maxBytes: number
  readonly maxFiles: number
}

const BLOCK = 512
/** The type flags of regular files: the old one, the usual one, a contiguous one. */
const FILE_TYPES: readonly string[] = ['\0', '0', '7']
/** Headers that say something about the next entry, or about all. */
const EXTENSIONS: readonly string[] = ['x', 'g', 'L']
const USUAL: TarLimits = { maxBytes: 100 * 1024 * 1024, maxFiles: 10_000 }
const decoder = new TextDecoder()

const refuse = (message: string): Result<never> =>
  fail({ code: 'archive-invalid', message: `cannot read the archive: ${message}` })

const text = (block: Uint8Array, from: number, length: number): string => {
  const end = block.indexOf(0, from)
  return decoder.decode(block.subarray(from, end < 0 || end > from + length ? from + length : end))
}

/** A size: octal digits, or for large files eight bytes after a marker. */
function sizeOf(header: Uint8Array): number {
  if (((header[124] ?? 0) & 0x80) !== 0) {
    return Number(new DataView(header.buffer, header.byteOffset + 128, 8).getBigUint64(0))
  }
  const digits = text(header, 124, 12).trim()
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN
}

const isEnd = (header: Uint8Array): boolean => header[0] === 0 && header.every((byte) => byte === 0)

function isIntact(header: Uint8Array): boolean {
  const wanted = Number.parseInt(text(header, 148, 8).trim(), 8)
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += header[at] ?? 0
  return sum === wanted
}

/** The records of a pax header: `length key=value\n`. */
function paxOf(data: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at)
    const length = Number(decoder.decode(data.subarray(at, space)))
    if (space < 0 || !Number.isInteger(length) || length <= space - at) break
    const record = decoder.decode(data.subarray(space + 1, at + length - 1))
    const equals = record.indexOf('=')
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

/**
 * The regular files of a tar archive in their order, names as written. Folders and extension headers are passed over;
 * links, devices and other entries that are no files are refused.
 */
export function readTar(archive: Uint8Array, limits: TarLimits = USUAL): Result<readonly TarFile[]> {
  const files: TarFile[] = []
  let longName: string | undefined
  let pax: ReadonlyMap<string, string> = new Map()
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK)
    if (isEnd(header)) break
    if (!isIntact(header)) return refuse('a header is damaged')
    const type = String.fromCharCode(header[156] ?? 0)
    const paxSize = pax.get('size')
    const size = paxSize !== undefined && type !== 'x' ? Number(paxSize) : sizeOf(header)
    const from = at + BLOCK
    if (!Number.isSafeInteger(size) || size < 0 || from + size > archive.length) return refuse('it ends too early')
    const data = archive.subarray(from, from + size)
    at = from + Math.ceil(size / BLOCK) * BLOCK
    if (type === 'x') pax = paxOf(data)
    else if (type === 'L') longName = text(data, 0, data.length)
    if (EXTENSIONS.includes(type)) continue
    const name = nameOf(header, longName, pax)
    longName = undefined
    pax = new Map()
    if (type === '5' || name.endsWith('/')) continue
    if (!FILE_TYPES.includes(type)) return refuse(`${JSON.stringify(name)} is not a regular file`)
    if (files.length >= limits.maxFiles) return refuse(`it holds more than ${limits.maxFiles} files`)
    files.push({ name, data })
  }
  return succeed(files)
}

function nameOf(header: Uint8Array, longName: string | undefined, pax: ReadonlyMap<string, string>): string {
  const long = pax.get('path') ?? longName
  if (long !== undefined) return long
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : ''
  const name = text(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

/** Unpacks a gzipped tar archive within limits: a small archive cannot grow beyond them. */
export function readTarGz(packed: Uint8Array, limits: TarLimits = USUAL): Result<readonly TarFile[]> {
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return refuse('it is not gzipped')
  let archive: Buffer
  try {
    archive = gunzipSync(packed, { maxOutputLength: limits.maxBytes })
  } catch (cause) {
    const tooLarge = cause instanceof RangeError
    return refuse(tooLarge ? `it unpacks to more than ${limits.maxBytes} bytes` : (cause as Error).message)
  }
  return readTar(archive, limits)
}

function headerOf(name: string, size: number, type: string): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(name.slice(0, 100), 0, 'utf8')
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write(`${'0'.repeat(11)}\0`, 136)
  header.write(' '.repeat(8), 148)
  header.write(type, 156)
  header.write('ustar\0' + '00', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

const padded = (data: Uint8Array): Buffer =>
  Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)])

/** Packs files into a gzipped tar archive; the same files give the same bytes, because owners and times are left out. */
export function writeTarGz(files: readonly TarFile[]): Uint8Array {
  const parts: Buffer[] = []
  for (const { name, data } of files) {
    const bytes = Buffer.from(`${name}\0`)
    // A name that does not fit is written into an entry of its own before the file.
    if (bytes.length > 100) parts.push(headerOf('././@LongLink', bytes.length, 'L'), padded(bytes))
    parts.push(headerOf(name, data.length, '0'), padded(data))
  }
  parts.push(Buffer.alloc(2 * BLOCK))
  const packed = gzipSync(Buffer.concat(parts), { level: 9 })
  // The byte that names the operating system.
  packed[9] = 0xff
  return packed
}
