import { createHash } from 'node:crypto'
import { derOid, derSequence } from '../../lib/der.ts'
import { derNull, derOctets } from '../x509/asn1.ts'

/** One entry of a keystore: a key with its chain, or a certificate that is trusted. */
export type JksEntry =
  | { readonly alias: string; readonly key: Uint8Array; readonly chain: readonly Uint8Array[] }
  | { readonly alias: string; readonly trusted: Uint8Array }

export interface JksOptions {
  readonly password: string
  readonly createdMs: number
  /** Chance, for the protection of keys. */
  readonly bytes: (count: number) => Uint8Array
}

const MAGIC = 0xfeedfeed
const VERSION = 2
const CERTIFICATE_TYPE = 'X.509'
/** What is hashed with the password, so that a changed store is noticed. */
const WHITENER = 'Mighty Aphrodite'
const KEY_PROTECTOR = '1.3.6.1.4.1.42.2.17.1.1'

/** Writes a Java keystore in its own old form, JKS. Keys are PKCS#8 in DER. */
export function writeJks(entries: readonly JksEntry[], options: JksOptions): Uint8Array {
  const body = Buffer.concat([
    uint32(MAGIC),
    uint32(VERSION),
    uint32(entries.length),
    ...entries.flatMap((entry) => entryParts(entry, options)),
  ])
  const digest = createHash('sha1').update(passwordBytes(options.password)).update(WHITENER).update(body).digest()
  return Buffer.concat([body, digest])
}

function entryParts(entry: JksEntry, options: JksOptions): readonly Uint8Array[] {
  // Aliases are looked up without regard to case.
  const head = (tag: number): readonly Uint8Array[] => [
    uint32(tag),
    javaText(entry.alias.toLowerCase()),
    uint64(options.createdMs),
  ]
  if ('trusted' in entry) return [...head(2), ...certificateParts(entry.trusted)]
  const protectedKey = derSequence(
    derSequence(derOid(KEY_PROTECTOR), derNull),
    derOctets(protectKey(entry.key, options)),
  )
  return [
    ...head(1),
    uint32(protectedKey.length),
    protectedKey,
    uint32(entry.chain.length),
    ...entry.chain.flatMap(certificateParts),
  ]
}

const certificateParts = (bytes: Uint8Array): readonly Uint8Array[] => [
  javaText(CERTIFICATE_TYPE),
  uint32(bytes.length),
  bytes,
]

const SALT_BYTES = 20

/** Sun's own way: the key, changed by a stream of hashes that starts with the password and a salt, then a hash of it all. */
function protectKey(key: Uint8Array, { password, bytes }: JksOptions): Uint8Array {
  const secret = passwordBytes(password)
  const salt = bytes(SALT_BYTES)
  const hidden = Buffer.alloc(key.length)
  let digest: Uint8Array = salt
  for (let at = 0; at < key.length; at++) {
    if (at % SALT_BYTES === 0) digest = createHash('sha1').update(secret).update(digest).digest()
    hidden[at] = (key[at] ?? 0) ^ (digest[at % SALT_BYTES] ?? 0)
  }
  return Buffer.concat([salt, hidden, createHash('sha1').update(secret).update(key).digest()])
}

const passwordBytes = (password: string): Uint8Array => Buffer.from(password, 'utf16le').swap16()

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(Math.floor(value)))
  return bytes
}

/** Text as Java's DataOutput writes it: each UTF-16 unit by itself, zero in two bytes. */
function javaText(text: string): Uint8Array {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit !== 0 && unit < 0x80) bytes.push(unit)
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f))
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f))
  }
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, Uint8Array.from(bytes)])
}
