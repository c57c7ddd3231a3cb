import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, createHash, createHmac, scryptSync } from 'node:crypto'
import { bcryptHash } from '../../../lib/bcrypt.ts'
import { bytesOf, stringOf } from '../../../lib/go-string.ts'
import type { Ids } from '../../../lib/ids.ts'
import { fn, type FunctionTable } from '../function.ts'
import { Failure, failWith, type GoFunction } from '../value.ts'
import { toText } from './cast.ts'
import { decode64 } from './encodings.ts'

const digest = (algorithm: string): GoFunction =>
  fn(['string'], 'any', (text) => createHash(algorithm).update(bytesOf(text)).digest('hex'))

function adler32(text: string): string {
  let a = 1
  let b = 0
  for (const byte of bytesOf(text)) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return String(b * 65_536 + a)
}

const SALT_BYTES = 16

function bcrypt(ids: Ids, password: string): string {
  return (
    bcryptHash(bytesOf(password), ids.bytes(SALT_BYTES)) ??
    'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes'
  )
}

function htpasswd(ids: Ids, user: string, password: string, algorithm: string): string {
  if (user.includes(':')) return `invalid username: ${user}`
  if (algorithm !== 'sha') return `${user}:${bcrypt(ids, password)}`
  return `${user}:{SHA}${createHash('sha1').update(bytesOf(password)).digest('base64')}`
}

/** Passwords by the Master Password scheme: the shapes of each kind, and the characters of each place. */
const PASSWORD_SHAPES: Readonly<Record<string, string>> = {
  maximum: 'anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno',
  long:
    'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
    'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
    'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno',
  medium: 'CvcnoCvc CvcCvcno',
  short: 'Cvcn',
  basic: 'aaanaaan aannaaan aaannaaa',
  pin: 'nnnn',
}
const PLACES: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
}
const SEED = Buffer.from('com.lyndir.masterpassword')
const SCRYPT = { N: 32_768, r: 8, p: 2, maxmem: 128 * 1024 * 1024 } as const

function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

interface Login {
  readonly counter: number
  readonly kind: string
  readonly password: string
  readonly user: string
  readonly site: string
}

function derivePassword({ counter, kind, password, user, site }: Login): string {
  const shapes = Object.hasOwn(PASSWORD_SHAPES, kind) ? PASSWORD_SHAPES[kind]?.split(' ') : undefined
  if (!shapes) return `cannot find password template ${kind}`
  const salt = Buffer.concat([SEED, word(bytesOf(user).length), bytesOf(user)])
  const key = scryptSync(bytesOf(password), salt, 64, SCRYPT)
  const message = Buffer.concat([SEED, word(bytesOf(site).length), bytesOf(site), word(counter)])
  const seed = createHmac('sha256', key).update(message).digest()
  const shape = shapes[(seed[0] ?? 0) % shapes.length] ?? ''
  return Array.from(shape, (place, index) => {
    const characters = PLACES[place] ?? ''
    return characters[(seed[index + 1] ?? 0) % characters.length]
  }).join('')
}

const BLOCK = 16

function aesKey(password: string): Uint8Array {
  const key = Buffer.alloc(32)
  key.set(bytesOf(password).subarray(0, 32))
  return key
}

function encryptAes(ids: Ids, password: string, text: string): string {
  if (text === '') return ''
  const iv = ids.bytes(BLOCK)
  const cipher = createCipheriv('aes-256-cbc', aesKey(password), iv)
  return Buffer.concat([iv, cipher.update(bytesOf(text)), cipher.final()]).toString('base64')
}

function decryptAes(password: string, text: string): unknown {
  if (text === '') return ''
  const bytes = decode64(text)
  if (bytes instanceof Failure) return bytes
  if (bytes.length < BLOCK)
    return failWith(`runtime error: slice bounds out of range [:16] with capacity ${bytes.length}`)
  if (bytes.length % BLOCK !== 0) return failWith('crypto/cipher: input not full blocks')
  const decipher = createDecipheriv('aes-256-cbc', aesKey(password), bytes.subarray(0, BLOCK)).setAutoPadding(false)
  const plain = Buffer.concat([decipher.update(bytes.subarray(BLOCK)), decipher.final()])
  const padding = plain.at(-1)
  if (padding === undefined) return failWith('runtime error: index out of range [-1]')
  if (padding > plain.length) return failWith(`runtime error: slice bounds out of range [:${plain.length - padding}]`)
  return stringOf(plain.subarray(0, plain.length - padding))
}

/** The most random bytes that a template may ask for at once. */
const MOST_BYTES = 1024 * 1024

function randomBytes(ids: Ids, count: number): unknown {
  if (count < 0) return failWith('runtime error: makeslice: len out of range')
  if (count > MOST_BYTES) return failWith(`${count} random bytes are more than ${MOST_BYTES}`)
  return Buffer.from(ids.bytes(count)).toString('base64')
}

/** Hashes, passwords and ciphers; what is random comes from Ids. */
export const ciphers = (ids: Ids): FunctionTable => ({
  sha1sum: digest('sha1'),
  sha256sum: digest('sha256'),
  sha512sum: digest('sha512'),
  adler32sum: fn(['string'], 'any', adler32),
  bcrypt: fn(['string'], 'any', (password) => bcrypt(ids, password)),
  htpasswd: fn(['string', 'string', '...any'], 'any', (user, password, algorithm) =>
    htpasswd(ids, user, password, algorithm === undefined ? '' : toText(algorithm)),
  ),
  derivePassword: fn(['uint32', 'string', 'string', 'string', 'string'], 'any', (counter, kind, password, user, site) =>
    derivePassword({ counter, kind, password, user, site }),
  ),
  encryptAES: fn(['string', 'string'], 'any', (password, text) => encryptAes(ids, password, text)),
  decryptAES: fn(['string', 'string'], 'any', decryptAes),
  randBytes: fn(['int'], 'any', (count) => randomBytes(ids, count)),
  uuidv4: fn([], 'any', () => ids.uid()),
})
