import { traversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { type CostRule, type Library, overload } from './library.ts'

const once: CostRule = (value) => traversal(value)

function decode(text: string): Uint8Array {
  const bare = text.replace(/=+$/, '')
  const isPadded = text.length === bare.length || text.length % 4 === 0
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1 || !isPadded) {
    throw new EvaluationError('illegal base64 data')
  }
  return Uint8Array.from(Buffer.from(bare, 'base64'))
}

/** Base64. */
export const encodersLibrary: Library = {
  name: 'encoders',
  overloads: [
    overload('base64_decode_string', 'base64.decode(string): bytes', decode, once),
    overload(
      'base64_encode_bytes',
      'base64.encode(bytes): string',
      (bytes: Uint8Array) => Buffer.from(bytes).toString('base64'),
      once,
    ),
  ],
}
