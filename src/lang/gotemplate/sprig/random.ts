import type { Ids } from '../../../lib/ids.ts'

/** A whole number from 0 to below the limit, without bias. */
export function randomBelow(ids: Ids, limit: number): number {
  if (limit <= 1) return 0
  const size = Math.ceil(Math.log2(limit) / 8) + 1
  const range = 256 ** size
  const fair = range - (range % limit)
  for (;;) {
    let value = 0
    for (const byte of ids.bytes(size)) value = value * 256 + byte
    if (value < fair) return value % limit
  }
}

/** Characters drawn from an alphabet. */
export function randomText(ids: Ids, count: number, alphabet: string): string {
  let text = ''
  const fair = 256 - (256 % alphabet.length)
  while (text.length < count) {
    for (const byte of ids.bytes(Math.min(count - text.length, 4096))) {
      if (byte < fair) text += alphabet[byte % alphabet.length] ?? ''
    }
  }
  return text
}
