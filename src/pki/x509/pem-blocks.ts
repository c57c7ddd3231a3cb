import { Buffer } from 'node:buffer'

/** A block of PEM. */
export interface PemBlock {
  readonly type: string
  readonly bytes: Uint8Array
}

const BEGIN = '-----BEGIN '
const END = '-----END '
const DASHES = '-----'

/**
 * The blocks of a text, at most so many, in time that grows with the text alone; undefined where the text is longer than
 * allowed or has more blocks. What stands between blocks is no part of them.
 */
export function pemBlocks(
  text: string,
  limits: { readonly characters: number; readonly blocks: number },
): readonly PemBlock[] | undefined {
  if (text.length > limits.characters) return undefined
  const blocks: PemBlock[] = []
  // Where the next end of a type is, so that a flood of beginnings is not searched again for each of them.
  const ends = new Map<string, number>()
  const endOf = (type: string, after: number): number => {
    const known = ends.get(type)
    if (known !== undefined && (known < 0 || known >= after)) return known
    const found = text.indexOf(`${END}${type}${DASHES}`, after)
    ends.set(type, found)
    return found
  }
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    const typeEnd = text.indexOf(DASHES, at + BEGIN.length)
    if (typeEnd < 0) break
    const type = text.slice(at + BEGIN.length, typeEnd)
    at = typeEnd
    const end = /^[A-Z0-9 ]{1,64}$/.test(type) ? endOf(type, typeEnd) : -1
    if (end < 0) continue
    const body = text.slice(typeEnd + DASHES.length, end)
    // Headers, as old keys have them, mean encryption, which nobody here can undo.
    if (!/^[A-Za-z0-9+/=\s]*$/.test(body)) continue
    if (blocks.length >= limits.blocks) return undefined
    blocks.push({ type, bytes: Buffer.from(body, 'base64') })
    at = end
  }
  return blocks
}
