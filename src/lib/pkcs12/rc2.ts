/** The substitution table of RFC 2268: digits of pi. */
const TABLE: Uint8Array = Buffer.from(
  [
    'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32',
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626',
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a',
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731',
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e',
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  ].join(''),
  'hex',
)

const BLOCK = 8

/**
 * Encrypts with RC2 in CBC mode with padding (RFC 2268). It is weak, and no OpenSSL offers it by default; keystores of the
 * oldest profile are written with it all the same, and are still the usual ones.
 */
export function rc2Encrypt(plain: Uint8Array, key: Uint8Array, vector: Uint8Array): Uint8Array {
  const words = expandKey(key, key.length * 8)
  const padding = BLOCK - (plain.length % BLOCK)
  const bytes = Buffer.concat([plain, Buffer.alloc(padding, padding)])
  let before = Buffer.from(vector)
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK)
    for (let index = 0; index < BLOCK; index++) block[index] = (block[index] ?? 0) ^ (before[index] ?? 0)
    encryptBlock(block, words)
    before = block
  }
  return bytes
}

/** Decrypts what was encrypted so; undefined where the padding is not what it should be. */
export function rc2Decrypt(encrypted: Uint8Array, key: Uint8Array, vector: Uint8Array): Buffer | undefined {
  if (encrypted.length === 0 || encrypted.length % BLOCK !== 0) return undefined
  const words = expandKey(key, key.length * 8)
  const plain = Buffer.from(encrypted)
  for (let at = 0; at < plain.length; at += BLOCK) {
    const block = plain.subarray(at, at + BLOCK)
    decryptBlock(block, words)
    const before = at === 0 ? vector : encrypted.subarray(at - BLOCK, at)
    for (let index = 0; index < BLOCK; index++) block[index] = (block[index] ?? 0) ^ (before[index] ?? 0)
  }
  const padding = plain.at(-1) ?? 0
  const isPadded = padding >= 1 && padding <= BLOCK && plain.subarray(-padding).every((byte) => byte === padding)
  return isPadded ? plain.subarray(0, plain.length - padding) : undefined
}

function expandKey(key: Uint8Array, bits: number): Uint16Array {
  const bytes = new Uint8Array(128)
  bytes.set(key)
  const at = (index: number): number => bytes[index] ?? 0
  const substitute = (index: number): number => TABLE[index & 255] ?? 0
  for (let index = key.length; index < 128; index++) {
    bytes[index] = substitute(at(index - 1) + at(index - key.length))
  }
  const used = Math.ceil(bits / 8)
  bytes[128 - used] = substitute(at(128 - used) & (255 >> (8 * used - bits)))
  for (let index = 127 - used; index >= 0; index--) bytes[index] = substitute(at(index + 1) ^ at(index + used))
  return Uint16Array.from({ length: 64 }, (_, index) => at(2 * index) | (at(2 * index + 1) << 8))
}

const ROTATIONS = [1, 2, 3, 5] as const

function encryptBlock(block: Buffer, key: Uint16Array): void {
  const words = Uint16Array.from([0, 2, 4, 6], (at) => block.readUInt16LE(at))
  const word = (index: number): number => words[index & 3] ?? 0
  let next = 0
  const mix = (): void => {
    for (const [index, rotation] of ROTATIONS.entries()) {
      const [third, second, first] = [word(index + 3), word(index + 2), word(index + 1)]
      const sum = (word(index) + (key[next++] ?? 0) + (third & second) + (~third & first)) & 0xffff
      words[index] = (sum << rotation) | (sum >>> (16 - rotation))
    }
  }
  const mash = (): void => {
    for (let index = 0; index < 4; index++) words[index] = word(index) + (key[word(index + 3) & 63] ?? 0)
  }
  for (const rounds of [5, 6, 5]) {
    for (let round = 0; round < rounds; round++) mix()
    if (next < 64) mash()
  }
  for (const [index, value] of words.entries()) block.writeUInt16LE(value, index * 2)
}

function decryptBlock(block: Buffer, key: Uint16Array): void {
  const words = Uint16Array.from([0, 2, 4, 6], (at) => block.readUInt16LE(at))
  const word = (index: number): number => words[index & 3] ?? 0
  let next = 63
  const unmix = (): void => {
    for (const [index, rotation] of [...ROTATIONS.entries()].toReversed()) {
      const turned = ((word(index) >>> rotation) | (word(index) << (16 - rotation))) & 0xffff
      const [third, second, first] = [word(index + 3), word(index + 2), word(index + 1)]
      words[index] = turned - (key[next--] ?? 0) - (third & second) - (~third & first)
    }
  }
  const unmash = (): void => {
    for (let index = 3; index >= 0; index--) words[index] = word(index) - (key[word(index + 3) & 63] ?? 0)
  }
  for (const rounds of [5, 6, 5]) {
    for (let round = 0; round < rounds; round++) unmix()
    if (next > 0) unmash()
  }
  for (const [index, value] of words.entries()) block.writeUInt16LE(value, index * 2)
}
