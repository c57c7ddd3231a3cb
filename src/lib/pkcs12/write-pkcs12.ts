import { createCipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { der, derInteger, derOid, derSequence } from '../der.ts'
import { pkcs12Derive, PURPOSE } from './kdf.ts'
import { rc2Encrypt } from './rc2.ts'

/** With which algorithms a store is written: the names of cert-manager. */
export type Pkcs12Profile = 'LegacyRC2' | 'LegacyDES' | 'Modern2023' | 'Modern2026'

export interface Pkcs12Options {
  readonly password: string
  readonly profile: Pkcs12Profile
  /** Chance, for salts. */
  readonly bytes: (count: number) => Uint8Array
}

const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  trustedByJava: '2.16.840.1.113894.746875.1.1',
  anyUsage: '2.5.29.37.0',
  rc2With40Bits: '1.2.840.113549.1.12.1.6',
  tripleDes: '1.2.840.113549.1.12.1.3',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  pbmac1: '1.2.840.113549.1.5.14',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const

const ITERATIONS = 2_048

const derNull: Uint8Array = der(0x05)
const derOctets = (content: Uint8Array): Uint8Array => der(0x04, content)
/** DER wants the items of a set in order. */
const derSet = (...items: readonly Uint8Array[]): Uint8Array =>
  der(0x31, ...items.toSorted((a, b) => Buffer.compare(a, b)))
const BMP_STRING = 0x1e

/** A key with its chain, the first certificate being the key's, and further certificates. All in DER. */
export interface Pkcs12Content {
  readonly key: Uint8Array
  readonly certificates: readonly Uint8Array[]
}

/** Writes a store with a key. */
export function writePkcs12({ key, certificates }: Pkcs12Content, options: Pkcs12Options): Uint8Array {
  const keyId = createHash('sha1')
    .update(certificates[0] ?? new Uint8Array())
    .digest()
  const marked = attribute(oids.localKeyId, derOctets(keyId))
  const bags = certificates.map((bytes, at) => certificateBag(bytes, at === 0 ? [marked] : []))
  const { keys } = algorithmsOf(options.profile)
  const { identifier, encrypted } = encrypt(key, keys, options)
  const shrouded = bag(oids.shroudedKeyBag, derSequence(identifier, derOctets(encrypted)), [marked])
  return wrap([encryptedInfo(derSequence(...bags), options), dataInfo(derSequence(shrouded))], options)
}

/** Writes a store of certificates that are trusted; Java sees by their mark that they are. */
export function writeTrustStore(
  certificates: readonly { readonly bytes: Uint8Array; readonly name: string }[],
  options: Pkcs12Options,
): Uint8Array {
  const bags = certificates.map(({ bytes, name }) =>
    certificateBag(bytes, [
      attribute(oids.friendlyName, der(BMP_STRING, Buffer.from(name, 'utf16le').swap16())),
      attribute(oids.trustedByJava, derOid(oids.anyUsage)),
    ]),
  )
  return wrap([encryptedInfo(derSequence(...bags), options)], options)
}

const attribute = (id: string, value: Uint8Array): Uint8Array => derSequence(derOid(id), derSet(value))

const bag = (id: string, content: Uint8Array, attributes: readonly Uint8Array[]): Uint8Array =>
  derSequence(derOid(id), der(0xa0, content), ...(attributes.length > 0 ? [derSet(...attributes)] : []))

const certificateBag = (bytes: Uint8Array, attributes: readonly Uint8Array[]): Uint8Array =>
  bag(oids.certificateBag, derSequence(derOid(oids.x509Certificate), der(0xa0, derOctets(bytes))), attributes)

const dataInfo = (content: Uint8Array): Uint8Array => derSequence(derOid(oids.data), der(0xa0, derOctets(content)))

function encryptedInfo(content: Uint8Array, options: Pkcs12Options): Uint8Array {
  const { certificates } = algorithmsOf(options.profile)
  const { identifier, encrypted } = encrypt(content, certificates, options)
  const info = derSequence(derOid(oids.data), identifier, der(0x80, encrypted))
  return derSequence(derOid(oids.encryptedData), der(0xa0, derSequence(derInteger(Uint8Array.of(0)), info)))
}

function wrap(infos: readonly Uint8Array[], options: Pkcs12Options): Uint8Array {
  const safe = derSequence(...infos)
  return derSequence(derInteger(Uint8Array.of(3)), dataInfo(safe), macOf(safe, options))
}

type Encryption = 'rc2' | 'des3' | 'aes256'

function algorithmsOf(profile: Pkcs12Profile): {
  readonly keys: Encryption
  readonly certificates: Encryption
} {
  if (profile === 'LegacyRC2') return { keys: 'des3', certificates: 'rc2' }
  return profile === 'LegacyDES' ? { keys: 'des3', certificates: 'des3' } : { keys: 'aes256', certificates: 'aes256' }
}

interface Encrypted {
  readonly identifier: Uint8Array
  readonly encrypted: Uint8Array
}

const number = (value: number): Uint8Array => derInteger(Uint8Array.of(value >> 24, value >> 16, value >> 8, value))

function encrypt(plain: Uint8Array, how: Encryption, { password, bytes }: Pkcs12Options): Encrypted {
  if (how === 'aes256') return encryptAes(plain, password, bytes)
  const salt = bytes(8)
  const from = { hash: 'sha1', password, salt, iterations: ITERATIONS } as const
  const vector = pkcs12Derive(from, PURPOSE.vector, 8)
  const parameters = derSequence(derOctets(salt), number(ITERATIONS))
  if (how === 'rc2') {
    const key = pkcs12Derive(from, PURPOSE.key, 5)
    return {
      identifier: derSequence(derOid(oids.rc2With40Bits), parameters),
      encrypted: rc2Encrypt(plain, key, vector),
    }
  }
  const cipher = createCipheriv('des-ede3-cbc', pkcs12Derive(from, PURPOSE.key, 24), vector)
  return {
    identifier: derSequence(derOid(oids.tripleDes), parameters),
    encrypted: Buffer.concat([cipher.update(plain), cipher.final()]),
  }
}

/** How a key is derived from a password; a length is said only where it is asked for. */
const pbkdf2Identifier = (salt: Uint8Array, length?: number): Uint8Array =>
  derSequence(
    derOid(oids.pbkdf2),
    derSequence(
      derOctets(salt),
      number(ITERATIONS),
      ...(length === undefined ? [] : [number(length)]),
      derSequence(derOid(oids.hmacSha256), derNull),
    ),
  )

function encryptAes(plain: Uint8Array, password: string, bytes: Pkcs12Options['bytes']): Encrypted {
  const [salt, vector] = [bytes(16), bytes(16)]
  const key = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', key, vector)
  return {
    identifier: derSequence(
      derOid(oids.pbes2),
      derSequence(pbkdf2Identifier(salt), derSequence(derOid(oids.aes256Cbc), derOctets(vector))),
    ),
    encrypted: Buffer.concat([cipher.update(plain), cipher.final()]),
  }
}

/** What shows that nobody changed the store. */
function macOf(safe: Uint8Array, { profile, password, bytes }: Pkcs12Options): Uint8Array {
  const isLegacy = profile === 'LegacyRC2' || profile === 'LegacyDES'
  const salt = bytes(isLegacy ? 8 : 16)
  const iterations = isLegacy ? 1 : ITERATIONS
  if (profile === 'Modern2026') {
    const key = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
    const identifier = derSequence(
      derOid(oids.pbmac1),
      derSequence(pbkdf2Identifier(salt, 32), derSequence(derOid(oids.hmacSha256), derNull)),
    )
    const digest = createHmac('sha256', key).update(safe).digest()
    // The salt and the count beside it are not used any more, but have to be there.
    return derSequence(derSequence(identifier, derOctets(digest)), derOctets(Buffer.from('NOT USED')), number(1))
  }
  const hash = isLegacy ? 'sha1' : 'sha256'
  const key = pkcs12Derive({ hash, password, salt, iterations }, PURPOSE.mac, isLegacy ? 20 : 32)
  const digest = createHmac(hash, key).update(safe).digest()
  const identifier = derSequence(derOid(oids[hash]), derNull)
  const info = derSequence(identifier, derOctets(digest))
  return iterations === 1 ? derSequence(info, derOctets(salt)) : derSequence(info, derOctets(salt), number(iterations))
}
