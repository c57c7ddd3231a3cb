import { randomBytes, randomUUID } from 'node:crypto'

/** Identity and chance as a port, so that a twin is deterministic. */
export interface Ids {
  /** A fresh UUID, as in metadata.uid. */
  uid(): string
  /** The five characters that generateName appends; vowels and look-alikes are left out so that no words appear. */
  suffix(): string
  /** Random bytes for keys, tokens and template functions. */
  bytes(count: number): Uint8Array
}

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5

const suffixFrom = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, SUFFIX_LENGTH), (byte) => SUFFIX_ALPHABET[byte % SUFFIX_ALPHABET.length]).join('')

/** Randomness for names is asked for in one piece for many: thousands of objects a second get one. */
const POOL_BYTES = 4_096
let pool: Uint8Array = new Uint8Array(0)
let used = 0

function pooledBytes(count: number): Uint8Array {
  if (used + count > pool.length) {
    pool = randomBytes(POOL_BYTES)
    used = 0
  }
  used += count
  return pool.subarray(used - count, used)
}

/** Ids from the system's randomness. */
export const systemIds: Ids = {
  uid: () => randomUUID(),
  suffix: () => suffixFrom(pooledBytes(SUFFIX_LENGTH)),
  bytes: (count) => randomBytes(count),
}

/** Ids that are the same in every run that asks in the same order. */
export function seededIds(seed = 1): Ids {
  let state = seed >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => next() >>> 16)
  return {
    bytes,
    suffix: () => suffixFrom(bytes(SUFFIX_LENGTH)),
    uid() {
      const hex = Buffer.from(bytes(16)).toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
    },
  }
}
