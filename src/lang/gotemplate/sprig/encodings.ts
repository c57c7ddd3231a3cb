import { Buffer } from 'node:buffer'
import { bytesOf, stringOf } from '../../../lib/go-string.ts'
import { fn, type FunctionTable } from '../function.ts'
import { Failure, failWith } from '../value.ts'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Reads standard base64 as strictly as Go; line breaks are skipped. */
export function decode64(text: string): Uint8Array | Failure {
  const compact = text.replaceAll(/[\r\n]/g, '')
  const good = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
  if (good.test(compact)) return Buffer.from(compact, 'base64')
  return failWith(`illegal base64 data at input byte ${badByte(text, 4, /[A-Za-z0-9+/]/)}`)
}

/** Where Go's decoder notices that a text is not in groups of its alphabet. */
function badByte(text: string, group: number, alphabet: RegExp): number {
  let inGroup = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === '\n' || character === '\r') continue
    if (!alphabet.test(character)) {
      if (character !== '=') return at
      return paddingProblem(text, at, inGroup, group)
    }
    inGroup = (inGroup + 1) % group
  }
  return text.length - inGroup
}

function paddingProblem(text: string, at: number, inGroup: number, group: number): number {
  if (inGroup < 2) return at
  let next = at
  for (let wanted = group - inGroup; wanted > 0; wanted--, next++) {
    while (text[next] === '\n' || text[next] === '\r') next += 1
    if (next >= text.length) return text.length
    if (text[next] !== '=') return next - 1
  }
  return next
}

function encode32(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 5) {
    const group = Array.from({ length: 5 }, (_, index) => bytes[at + index] ?? 0)
    const value = group.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
    const kept = Math.ceil((Math.min(bytes.length - at, 5) * 8) / 5)
    for (let place = 0; place < 8; place++) {
      text += place < kept ? (BASE32[Number((value >> BigInt(35 - place * 5)) & 31n)] ?? '') : '='
    }
  }
  return text
}

function decode32(text: string): Uint8Array | Failure {
  const compact = text.replaceAll(/[\r\n]/g, '')
  const end = compact.indexOf('=')
  const unpadded = end < 0 ? compact : compact.slice(0, end)
  const padding = compact.length - unpadded.length
  const isWhole =
    compact.length % 8 === 0 && !/[^=]/.test(compact.slice(unpadded.length)) && [0, 1, 3, 4, 6].includes(padding)
  if (!/^[A-Z2-7]*$/.test(unpadded) || !isWhole) {
    return failWith(`illegal base32 data at input byte ${badByte(text, 8, /[A-Z2-7]/)}`)
  }
  const bytes: number[] = []
  let value = 0
  let bits = 0
  for (const character of unpadded) {
    value = ((value << 5) | BASE32.indexOf(character)) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((value >> bits) & 255)
    }
  }
  return Uint8Array.from(bytes)
}

/** What does not decode becomes the text of the error, as upstream. */
const decoded = (bytes: Uint8Array | Failure): string => (bytes instanceof Failure ? bytes.message : stringOf(bytes))

/** base64 and base32. */
export const encodings: FunctionTable = {
  b64enc: fn(['string'], 'any', (text) => Buffer.from(bytesOf(text)).toString('base64')),
  b64dec: fn(['string'], 'any', (text) => decoded(decode64(text))),
  b32enc: fn(['string'], 'any', (text) => encode32(bytesOf(text))),
  b32dec: fn(['string'], 'any', (text) => decoded(decode32(text))),
}
