import type { Ids } from '../../../lib/ids.ts'
import { closeEnvelope, openEnvelope } from './envelope.ts'

export const KEY_BYTES = 32

/** A key that entries are encrypted with; its term is its number. */
export interface BarrierKey {
  readonly term: number
  readonly secret: Uint8Array
  readonly installedMs: number
}

/** Every key that entries can be read with. The last one is written with. */
export interface Keyring {
  /** The key under which the ring itself is kept, and which unseal keys protect. */
  readonly rootKey: Uint8Array
  readonly keys: readonly BarrierKey[]
}

/** A ring with a root key and a first key, both new. */
export function newKeyring(ids: Pick<Ids, 'bytes'>, nowMs: number): Keyring {
  return { rootKey: ids.bytes(KEY_BYTES), keys: [{ term: 1, secret: ids.bytes(KEY_BYTES), installedMs: nowMs }] }
}

/** The ring with one more key, which is written with from then on. */
export function withNewKey(ring: Keyring, ids: Pick<Ids, 'bytes'>, nowMs: number): Keyring {
  const term = activeKey(ring).term + 1
  return { ...ring, keys: [...ring.keys, { term, secret: ids.bytes(KEY_BYTES), installedMs: nowMs }] }
}

/** The key that is written with. */
export function activeKey({ keys }: Keyring): BarrierKey {
  const key = keys.at(-1)
  if (!key) throw new Error('a keyring without a key')
  return key
}

const PLACE = Buffer.from('core/keyring')

/** The ring as it is kept: encrypted with its root key. */
export function wrapKeyring({ rootKey, keys }: Keyring, ids: Pick<Ids, 'bytes'>): string {
  const plain = JSON.stringify(
    keys.map(({ term, secret, installedMs }) => ({
      term,
      installedMs,
      secret: Buffer.from(secret).toString('base64'),
    })),
  )
  return Buffer.from(closeEnvelope(rootKey, plain, PLACE, ids)).toString('base64')
}

/** The ring that was kept; nothing when the root key is another one. */
export function unwrapKeyring(wrapped: string, rootKey: Uint8Array): Keyring | undefined {
  const plain = openEnvelope(rootKey, Buffer.from(wrapped, 'base64'), PLACE)
  if (!plain) return undefined
  // What wrapKeyring wrote: it has been authenticated.
  const kept = JSON.parse(Buffer.from(plain).toString()) as readonly {
    readonly term: number
    readonly installedMs: number
    readonly secret: string
  }[]
  return { rootKey, keys: kept.map((key) => ({ ...key, secret: Buffer.from(key.secret, 'base64') })) }
}
