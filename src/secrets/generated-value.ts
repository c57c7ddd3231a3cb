import type { Ids } from '../lib/ids.ts'
import { randomText } from '../lib/random-text.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** A new value by chance: letters and digits, or hexadecimal digits where the old value has nothing else. */
export function generatedValue(old: string, length: number, ids: Pick<Ids, 'bytes'>): string {
  const alphabet = /^[0-9a-f]+$/.test(old) && old.length >= 16 ? ALPHABET.slice(26, 32) + ALPHABET.slice(52) : ALPHABET
  return randomText(alphabet, length, ids)
}
