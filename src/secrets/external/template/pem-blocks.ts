import { Buffer } from 'node:buffer'

/** One block of a PEM text. */
export interface PemBlock {
  readonly type: string
  readonly bytes: Uint8Array
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----\s([A-Za-z0-9+/=\s]*)-----END \1-----/g

/** Every block of a PEM text in order; what stands around them is skipped. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, type = '', body = '']) => ({ type, bytes: Buffer.from(body, 'base64') }))
}
