import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { type DerElement, derOid, readDer } from '../der.ts'
import { fail, type Result, succeed } from '../result.ts'
import { pkcs12Derive, PURPOSE } from './kdf.ts'
import { rc2Decrypt } from './rc2.ts'

/** What a store holds: keys in PKCS #8, certificates in the order in which they stand there. All in DER. */
export interface Pkcs12Found {
  readonly keys: readonly Uint8Array[]
  readonly certificates: readonly Uint8Array[]
}

/** Why a store cannot be read; never leaves this file. */
class Unreadable extends Error {}

/** Whoever asks for more rounds asks for our time, not for safety. */
const MOST_ROUNDS = 1_000_000

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const oid = (dotted: string): string => hexOf(derOid(dotted).subarray(2))

const oids = {
  data: oid('1.2.840.113549.1.7.1'),
  encryptedData: oid('1.2.840.113549.1.7.6'),
  keyBag: oid('1.2.840.113549.1.12.10.1.1'),
  shroudedKeyBag: oid('1.2.840.113549.1.12.10.1.2'),
  certificateBag: oid('1.2.840.113549.1.12.10.1.3'),
  pbes2: oid('1.2.840.113549.1.5.13'),
  pbkdf2: oid('1.2.840.113549.1.5.12'),
}
const legacy: ReadonlyMap<string, { readonly cipher: 'rc2' | 'des3'; readonly keyLength: number }> = new Map([
  [oid('1.2.840.113549.1.12.1.3'), { cipher: 'des3', keyLength: 24 }],
  [oid('1.2.840.113549.1.12.1.5'), { cipher: 'rc2', keyLength: 16 }],
  [oid('1.2.840.113549.1.12.1.6'), { cipher: 'rc2', keyLength: 5 }],
])
const ciphers: ReadonlyMap<string, readonly [string, number]> = new Map([
  [oid('2.16.840.1.101.3.4.1.2'), ['aes-128-cbc', 16]],
  [oid('2.16.840.1.101.3.4.1.22'), ['aes-192-cbc', 24]],
  [oid('2.16.840.1.101.3.4.1.42'), ['aes-256-cbc', 32]],
  [oid('1.2.840.113549.3.7'), ['des-ede3-cbc', 24]],
])
const hashes: ReadonlyMap<string, string> = new Map([
  [oid('1.2.840.113549.2.7'), 'sha1'],
  [oid('1.2.840.113549.2.9'), 'sha256'],
  [oid('1.2.840.113549.2.11'), 'sha512'],
])
const digests: ReadonlyMap<string, 'sha1' | 'sha256' | 'sha512'> = new Map([
  [oid('1.3.14.3.2.26'), 'sha1'],
  [oid('2.16.840.1.101.3.4.2.1'), 'sha256'],
  [oid('2.16.840.1.101.3.4.2.3'), 'sha512'],
])

/** Reads a store as openssl, Java and Windows write them, after its password and its integrity were checked. */
export function readPkcs12(bytes: Uint8Array, password: string): Result<Pkcs12Found> {
  try {
    return succeed(read(bytes, password))
  } catch (error) {
    // What OpenSSL says of a wrong padding is a wrong password, or a broken store.
    const message = error instanceof Unreadable ? error.message : 'the password is wrong, or the store is broken'
    return fail({ code: 'pkcs12-unreadable', message: `cannot read the PKCS #12 store: ${message}` })
  }
}

function read(bytes: Uint8Array, password: string): Pkcs12Found {
  const [, content, mac] = parts(one(bytes))
  const safe = octetsOf(explicit(parts(content)[1]))
  if (!mac) throw new Unreadable('it has no checksum')
  checkMac(parts(mac), safe, password)
  const found = { keys: [] as Uint8Array[], certificates: [] as Uint8Array[] }
  for (const info of parts(one(safe))) {
    const [type, value] = parts(info)
    const kind = hexOf(type?.content ?? new Uint8Array())
    if (kind === oids.data) collect(octetsOf(explicit(value)), password, found)
    else if (kind === oids.encryptedData) {
      const [, encrypted] = parts(explicit(value))
      const [, algorithm, body] = parts(encrypted)
      collect(decrypt(algorithm, implicitOctets(body), password), password, found)
    } else throw new Unreadable('a part of it is encrypted in a way that is not known')
  }
  return found
}

function collect(
  contents: Uint8Array,
  password: string,
  found: { readonly keys: Uint8Array[]; readonly certificates: Uint8Array[] },
): void {
  for (const bag of parts(one(contents))) {
    const [type, value] = parts(bag)
    const kind = hexOf(type?.content ?? new Uint8Array())
    if (kind === oids.keyBag) found.keys.push(explicit(value).bytes)
    if (kind === oids.shroudedKeyBag) {
      const [algorithm, encrypted] = parts(explicit(value))
      found.keys.push(decrypt(algorithm, octetsOf(encrypted), password))
    }
    if (kind === oids.certificateBag) found.certificates.push(octetsOf(explicit(parts(explicit(value))[1])))
  }
}

function checkMac([info, salt, rounds]: readonly DerElement[], safe: Uint8Array, password: string): void {
  const [algorithm, digest] = parts(info)
  const hash = digests.get(hexOf(parts(algorithm)[0]?.content ?? new Uint8Array()))
  if (!hash) throw new Unreadable('its checksum is of a kind that is not known')
  const from = { hash, password, salt: octetsOf(salt), iterations: rounds ? numberOf(rounds) : 1 }
  const length = { sha1: 20, sha256: 32, sha512: 64 }[hash]
  const made = createHmac(hash, pkcs12Derive(from, PURPOSE.mac, length))
    .update(safe)
    .digest()
  const wanted = octetsOf(digest)
  if (made.length !== wanted.length || !timingSafeEqual(made, wanted)) {
    throw new Unreadable('the password is wrong, or the store was changed')
  }
}

function decrypt(algorithm: DerElement | undefined, encrypted: Uint8Array, password: string): Uint8Array {
  const [type, parameters] = parts(algorithm)
  const kind = hexOf(type?.content ?? new Uint8Array())
  if (kind === oids.pbes2) return decryptModern(parts(parameters), encrypted, password)
  const known = legacy.get(kind)
  if (!known) throw new Unreadable('it is encrypted in a way that is not known')
  const [salt, rounds] = parts(parameters)
  const from = { hash: 'sha1', password, salt: octetsOf(salt), iterations: numberOf(rounds) } as const
  const key = pkcs12Derive(from, PURPOSE.key, known.keyLength)
  const vector = pkcs12Derive(from, PURPOSE.vector, 8)
  if (known.cipher === 'des3') return deciphered('des-ede3-cbc', key, vector, encrypted)
  const plain = rc2Decrypt(encrypted, key, vector)
  if (!plain) throw new Unreadable('the password is wrong, or the store is broken')
  return plain
}

function decryptModern(
  [derivation, encryption]: readonly DerElement[],
  encrypted: Uint8Array,
  password: string,
): Uint8Array {
  const [function_, given] = parts(derivation)
  if (hexOf(function_?.content ?? new Uint8Array()) !== oids.pbkdf2)
    throw new Unreadable('its key is derived in a way that is not known')
  const [salt, rounds, ...more] = parts(given)
  const prf = more.find(({ tag }) => tag === 0x30)
  const hash = prf ? hashes.get(hexOf(parts(prf)[0]?.content ?? new Uint8Array())) : 'sha1'
  const [cipherType, vector] = parts(encryption)
  const [cipher, length] = ciphers.get(hexOf(cipherType?.content ?? new Uint8Array())) ?? []
  if (hash === undefined || cipher === undefined || length === undefined) {
    throw new Unreadable('it is encrypted in a way that is not known')
  }
  const key = pbkdf2Sync(password, octetsOf(salt), numberOf(rounds), length, hash)
  return deciphered(cipher, key, octetsOf(vector), encrypted)
}

function deciphered(cipher: string, key: Uint8Array, vector: Uint8Array, encrypted: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(cipher, key, vector)
  return Buffer.concat([decipher.update(encrypted), decipher.final()])
}

function one(bytes: Uint8Array): DerElement {
  const [element] = readDer(bytes) ?? []
  if (!element) throw new Unreadable('it is not DER')
  return element
}

function parts(element: DerElement | undefined): readonly DerElement[] {
  const found = element && readDer(element.content)
  if (!found) throw new Unreadable('it is not DER')
  return found
}

/** What an explicit tag holds. */
const explicit = (element: DerElement | undefined): DerElement => {
  const [inner] = parts(element)
  if (!inner) throw new Unreadable('it is not DER')
  return inner
}

function octetsOf(element: DerElement | undefined): Uint8Array {
  if (element?.tag !== 0x04) throw new Unreadable('it is not DER')
  return element.content
}

/** Bytes under an implicit tag, whole or in pieces. */
function implicitOctets(element: DerElement | undefined): Uint8Array {
  if (element?.tag === 0x80) return element.content
  return Buffer.concat(parts(element).map(octetsOf))
}

function numberOf(element: DerElement | undefined): number {
  if (element?.tag !== 0x02 || element.content.length > 4) throw new Unreadable('it asks for too many rounds')
  const value = element.content.reduce((number, byte) => number * 256 + byte, 0)
  if (value < 1 || value > MOST_ROUNDS) throw new Unreadable('it asks for too many rounds')
  return value
}
