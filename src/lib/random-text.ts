import type { Ids } from './ids.ts'

/** Text by chance from an alphabet of at most 256 characters, each as likely as any other. */
export function randomText(alphabet: string, length: number, ids: Pick<Ids, 'bytes'>): string {
  // Bytes that would favour some characters are left out.
  const fair = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of ids.bytes(length)) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length] ?? ''
    }
  }
  return text
}
