import { createHash } from 'node:crypto'

/** What a derived value is for: it decides which one comes out. */
export const PURPOSE = { key: 1, vector: 2, mac: 3 } as const

const sizes = {
  sha1: { digest: 20, block: 64 },
  sha256: { digest: 32, block: 64 },
  sha512: { digest: 64, block: 128 },
} as const

export interface Pkcs12Derivation {
  readonly hash: keyof typeof sizes
  readonly password: string
  readonly salt: Uint8Array
  readonly iterations: number
}

/** Derives bytes from a password as PKCS#12 does (RFC 7292, appendix B.2). */
export function pkcs12Derive(
  { hash, password, salt, iterations }: Pkcs12Derivation,
  purpose: number,
  length: number,
): Uint8Array {
  const { digest, block } = sizes[hash]
  const secret = Buffer.concat([Buffer.from(password, 'utf16le').swap16(), Buffer.alloc(2)])
  const diversifier = Buffer.alloc(block, purpose)
  const input = Buffer.concat([filled(salt, block), filled(secret, block)])
  const blocks = Array.from({ length: Math.ceil(length / digest) }, () => {
    let value = createHash(hash).update(diversifier).update(input).digest()
    for (let round = 1; round < iterations; round++) value = createHash(hash).update(value).digest()
    addToBlocks(input, filled(value, block).subarray(0, block), block)
    return value
  })
  return Buffer.concat(blocks).subarray(0, length)
}

/** Bytes again and again until they fill whole blocks. */
function filled(bytes: Uint8Array, block: number): Buffer {
  const length = Math.ceil(bytes.length / block) * block
  return Buffer.from(Uint8Array.from({ length }, (_, at) => bytes[at % bytes.length] ?? 0))
}

/** Adds a number and one to each block, as numbers. */
function addToBlocks(input: Buffer, number: Uint8Array, block: number): void {
  for (let start = 0; start < input.length; start += block) {
    let carry = 1
    for (let at = block - 1; at >= 0; at--) {
      const sum = (input[start + at] ?? 0) + (number[at] ?? 0) + carry
      input[start + at] = sum & 255
      carry = sum >> 8
    }
  }
}
