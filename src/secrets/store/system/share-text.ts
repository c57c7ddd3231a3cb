/** A share as it is written: in hexadecimal digits, or in base64. */
export function shareOf(text: string): Uint8Array | undefined {
  const clean = text.trim()
  if (/^(?:[0-9a-fA-F]{2})+$/.test(clean)) return Buffer.from(clean, 'hex')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(clean) ? Buffer.from(clean, 'base64') : undefined
}
