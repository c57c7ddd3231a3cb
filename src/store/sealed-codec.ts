import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Codec } from './codec.ts'
import type { SealingKey, SealingKeys } from './sealing-keys.ts'

/*
 * A sealed value: the mark, the length of the key id, the key id, a nonce of 12 bytes, a tag of 16, the ciphertext of
 * AES-256-GCM. Everything before the nonce, and the key it is stored under, is authenticated, so that a sealed value moved
 * to another place does not open.
 */
const MARK = Buffer.from('\0seal\0v1', 'latin1')
const NONCE_BYTES = 12
const TAG_BYTES = 16

export interface SealedCodecOptions<V> {
  /** Its output must not begin with a zero byte, as JSON never does. */
  readonly inner: Codec<V>
  readonly keys: SealingKeys
  /** Which keys of the store hold secrets. */
  readonly prefixes: readonly string[]
}

/** Encrypts the values under some prefixes at rest. What was stored in the clear before stays readable, and stale. */
export function sealedCodec<V>({ inner, keys, prefixes }: SealedCodecOptions<V>): Codec<V> {
  const [newest] = keys
  const isSecret = (key: string): boolean => prefixes.some((prefix) => key.startsWith(prefix))
  return {
    encode(value, key) {
      const plain = inner.encode(value, key)
      return isSecret(key) ? seal(plain, key, newest) : plain
    },
    decode: (bytes, key) => inner.decode(isSealed(bytes) ? open(bytes, key, keys) : bytes, key),
    isStale(bytes, key) {
      if (isSecret(key) !== isSealed(bytes)) return true
      if (isSealed(bytes) && keyIdOf(bytes) !== newest.id) return true
      return inner.isStale?.(isSealed(bytes) ? open(bytes, key, keys) : bytes, key) ?? false
    },
  }
}

function seal(plain: string | Uint8Array, key: string, { id, secret }: SealingKey): Buffer {
  const head = Buffer.concat([MARK, Buffer.of(id.length), Buffer.from(id, 'latin1')])
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(Buffer.concat([head, Buffer.from(key)]))
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
  const rest = cipher.final()
  return Buffer.concat([head, nonce, cipher.getAuthTag(), body, rest])
}

const isSealed = (bytes: Uint8Array): boolean => MARK.every((byte, at) => bytes[at] === byte)

const headBytes = (bytes: Uint8Array): number => MARK.length + 1 + (bytes[MARK.length] ?? 0)

function keyIdOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(MARK.length + 1, headBytes(bytes))).toString('latin1')
}

function open(bytes: Uint8Array, key: string, keys: SealingKeys): Buffer {
  const id = keyIdOf(bytes)
  const known = keys.find((one) => one.id === id)
  if (!known)
    throw new Error(`cannot decrypt ${key}: the key ${JSON.stringify(id)} is not in the key file; put it back`)
  const head = headBytes(bytes)
  const tagAt = head + NONCE_BYTES
  const bodyAt = tagAt + TAG_BYTES
  try {
    const decipher = createDecipheriv('aes-256-gcm', known.secret, bytes.subarray(head, tagAt), {
      authTagLength: TAG_BYTES,
    })
    decipher
      .setAAD(Buffer.concat([bytes.subarray(0, head), Buffer.from(key)]))
      .setAuthTag(bytes.subarray(tagAt, bodyAt))
    return Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()])
  } catch (cause) {
    throw new Error(`cannot decrypt ${key}: its bytes are damaged, or belong elsewhere; restore it from a backup`, {
      cause,
    })
  }
}
