import { Buffer } from 'node:buffer'
import { generateKeyPair, type JsonWebKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { pem } from '../../../lib/der.ts'
import { type Fields, numberOf, textOf } from '../../../lib/fields.ts'
import type { Ids } from '../../../lib/ids.ts'
import { succeed } from '../../../lib/result.ts'
import type { SecretData } from '../data/decode.ts'
import { failed, type Fetched } from '../data/trouble.ts'

const RSA_BITS = 2048
const LEAST_RSA_BITS = 1024
const MOST_RSA_BITS = 8192
const BLOCK = 8

/** A key's parts in the order in which OpenSSH writes them. */
interface SshKey {
  readonly type: string
  readonly publicParts: readonly Uint8Array[]
  readonly privateParts: readonly Uint8Array[]
}

/** A key pair: `privateKey` as OpenSSH keeps it, `publicKey` as authorized_keys has it. */
export async function sshKeys(spec: Fields, ids: Ids): Promise<Fetched<SecretData>> {
  const keyType = textOf(spec, 'keyType') || 'rsa'
  const size = numberOf(spec, 'keySize')
  const comment = textOf(spec, 'comment')
  const key = await keyOf(keyType, size)
  if (typeof key === 'string') return failed(`unable to generate SSH key: ${key}`)
  const type = Buffer.from(key.type)
  const blob = Buffer.concat([type, ...key.publicParts].map(field))
  const check = ids.bytes(4)
  const whole = Buffer.concat([check, check, ...[type, ...key.privateParts, Buffer.from(comment)].map(field)])
  const padding = Uint8Array.from({ length: (BLOCK - (whole.length % BLOCK)) % BLOCK }, (_, index) => index + 1)
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map((text) => field(Buffer.from(text))),
    Uint8Array.of(0, 0, 0, 1),
    field(blob),
    field(Buffer.concat([whole, padding])),
  ])
  const end = comment === '' ? '' : ` ${comment}`
  return succeed(
    new Map([
      ['privateKey', pem('OPENSSH PRIVATE KEY', file)],
      ['publicKey', `${key.type} ${blob.toString('base64')}${end}\n`],
    ]),
  )
}

async function keyOf(keyType: string, size: number | undefined): Promise<SshKey | string> {
  switch (keyType) {
    case 'rsa': {
      const bits = size ?? RSA_BITS
      if (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS) return `${bits} bits are too few or too many for RSA`
      return rsaKey(jwkOf((await promisify(generateKeyPair)('rsa', { modulusLength: bits })).privateKey))
    }
    case 'ecdsa': {
      const bits = size === 384 || size === 521 ? size : 256
      const pair = await promisify(generateKeyPair)('ec', { namedCurve: `P-${bits}` })
      return ecdsaKey(jwkOf(pair.privateKey), bits)
    }
    case 'ed25519':
      return ed25519Key(jwkOf((await promisify(generateKeyPair)('ed25519')).privateKey))
    default:
      return `unsupported key type: ${keyType}`
  }
}

const jwkOf = (key: KeyObject): JsonWebKey => key.export({ format: 'jwk' })
const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')

function rsaKey({ n, e, d, qi, p, q }: JsonWebKey): SshKey {
  return {
    type: 'ssh-rsa',
    publicParts: [e, n].map(integer),
    privateParts: [n, e, d, qi, p, q].map(integer),
  }
}

function ecdsaKey({ x, y, d }: JsonWebKey, bits: number): SshKey {
  const curve = Buffer.from(`nistp${bits}`)
  const point = Buffer.concat([Uint8Array.of(4), bytes(x), bytes(y)])
  return { type: `ecdsa-sha2-nistp${bits}`, publicParts: [curve, point], privateParts: [curve, point, integer(d)] }
}

function ed25519Key({ x, d }: JsonWebKey): SshKey {
  const pair = Buffer.concat([bytes(d), bytes(x)])
  return { type: 'ssh-ed25519', publicParts: [bytes(x)], privateParts: [bytes(x), pair] }
}

/** A number that is not negative: without leading zeros, but for one where its first bit is set. */
function integer(text: string | undefined): Buffer {
  const whole = bytes(text)
  const start = whole.findIndex((byte) => byte !== 0)
  const short = start < 0 ? Buffer.alloc(0) : whole.subarray(start)
  return (short[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), short]) : short
}

function field(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}
