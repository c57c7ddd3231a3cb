import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Ids } from '../../../lib/ids.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** How many bytes an envelope adds to what is in it. */
export const ENVELOPE_BYTES: number = NONCE_BYTES + TAG_BYTES

/** Encrypts with AES-256-GCM: nonce, ciphertext, tag. `place` is authenticated, so that it opens nowhere else. */
export function closeEnvelope(
  secret: Uint8Array,
  plain: Uint8Array | string,
  place: Uint8Array,
  ids: Pick<Ids, 'bytes'>,
): Uint8Array {
  const nonce = ids.bytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(place)
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
  const rest = cipher.final()
  return Buffer.concat([nonce, body, rest, cipher.getAuthTag()])
}

/** Decrypts what `closeEnvelope` made; nothing when the key is another one, or the bytes or the place are not the same. */
export function openEnvelope(secret: Uint8Array, sealed: Uint8Array, place: Uint8Array): Uint8Array | undefined {
  if (sealed.length < ENVELOPE_BYTES) return undefined
  const tagAt = sealed.length - TAG_BYTES
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(place).setAuthTag(sealed.subarray(tagAt))
    const plain = decipher.update(sealed.subarray(NONCE_BYTES, tagAt))
    const rest = decipher.final()
    return rest.length === 0 ? plain : Buffer.concat([plain, rest])
  } catch {
    // Authentication failed; there is nothing else that can fail here, and nothing more to say.
    return undefined
  }
}
