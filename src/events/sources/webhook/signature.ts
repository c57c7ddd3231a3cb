import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Compares without telling by the time it takes how much was right. */
export function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

const ALGORITHMS = ['sha1', 'sha256', 'sha512']

/** Whether `sha256=<hex>`, or sha1 or sha512, is the signature of the body with the secret. */
export function isSigned(signature: string, secret: string, body: Uint8Array): boolean {
  const [algorithm = '', hex = ''] = signature.split('=', 2)
  if (!ALGORITHMS.includes(algorithm)) return false
  return isSameText(hex.toLowerCase(), createHmac(algorithm, secret).update(body).digest('hex'))
}
