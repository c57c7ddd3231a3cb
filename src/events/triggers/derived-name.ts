import { createHash } from 'node:crypto'

/** As generateName's: no vowels and no look-alikes, so that no words appear. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 10
const LONGEST = 63

/**
 * The name that an object with a `generateName` gets when a trigger makes it: the same for the same firing, so that firing
 * twice makes one object. Ten characters of 27 keep different firings apart.
 */
export function derivedName(generateName: string, fireId: string): string {
  const hash = createHash('sha256').update(fireId).update('\0').update(generateName).digest()
  const suffix = Array.from(hash.subarray(0, SUFFIX_LENGTH), (byte) => ALPHABET.charAt(byte % ALPHABET.length))
  return generateName.slice(0, LONGEST - SUFFIX_LENGTH) + suffix.join('')
}
