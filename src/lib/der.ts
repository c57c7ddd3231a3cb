import { Buffer } from 'node:buffer'

/** One element of DER: its tag, its content, and all of its bytes. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly bytes: Uint8Array
}

/** Writes an element. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents)
  const size: number[] = []
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256)
  const length = content.length < 128 ? [content.length] : [0x80 | size.length, ...size]
  return Buffer.concat([Uint8Array.of(tag, ...length), content])
}

export const derSequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts)

/** A whole number of any size, not negative, from its bytes. */
export function derInteger(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  return (digits[0] ?? 0) >= 0x80
    ? der(2, Uint8Array.of(0), digits)
    : der(2, digits.length === 0 ? Uint8Array.of(0) : digits)
}

/** An object identifier from its dotted form. */
export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const part of rest) {
    const digits = [part & 127]
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left & 127) | 128)
    bytes.push(...digits)
  }
  return der(6, Uint8Array.from(bytes))
}

/** Reads the elements of some bytes in a row; undefined where they are not DER. */
export function readDer(bytes: Uint8Array): readonly DerElement[] | undefined {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1] ?? 0
    const more = short < 0x80 ? 0 : short & 0x7f
    if (more > 4 || at + 2 + more > bytes.length || short === 0x80) return undefined
    let length = more === 0 ? short : 0
    for (let digit = 0; digit < more; digit++) length = length * 256 + (bytes[at + 2 + digit] ?? 0)
    const start = at + 2 + more
    if (start + length > bytes.length) return undefined
    elements.push({
      tag: bytes[at] ?? 0,
      content: bytes.subarray(start, start + length),
      bytes: bytes.subarray(at, start + length),
    })
    at = start + length
  }
  return elements
}

/** The first block of a PEM text. */
export function readPem(text: string): { readonly type: string; readonly bytes: Uint8Array } | undefined {
  const found = /-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]*)-----END \1-----/.exec(text)
  if (!found) return undefined
  return { type: found[1] ?? '', bytes: Buffer.from(found[2] ?? '', 'base64') }
}

/** A block of PEM. */
export function pem(type: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${type}-----\n${lines.join('\n')}\n-----END ${type}-----\n`
}
