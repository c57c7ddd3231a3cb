import { Buffer } from 'node:buffer'

/** Words of the fraction of pi that Blowfish starts from: 18 for its keys, then four boxes of 256. */
const KEY_WORDS = 18
const BOX_WORDS = 1024
const COST = 10
const LONGEST_PASSWORD = 72

/** The first words of the fraction of pi, by Machin's formula. */
function piWords(count: number): Uint32Array {
  const guard = 64n
  const bits = BigInt(count * 32) + guard
  const one = 1n << bits
  const arctan = (inverse: bigint): bigint => {
    const square = inverse * inverse
    let power = one / inverse
    let sum = power
    for (let divisor = 3n, sign = -1n; power !== 0n; divisor += 2n, sign = -sign) {
      power /= square
      sum += (sign * power) / divisor
    }
    return sum
  }
  const pi = 4n * (4n * arctan(5n) - arctan(239n))
  const hex = ((pi - 3n * one) >> guard).toString(16).padStart(count * 8, '0')
  return Uint32Array.from({ length: count }, (_, index) => Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16))
}

let initial: Uint32Array | undefined

class Blowfish {
  readonly keys: Uint32Array
  readonly boxes: Uint32Array
  left = 0
  right = 0

  constructor() {
    initial ??= piWords(KEY_WORDS + BOX_WORDS)
    this.keys = initial.slice(0, KEY_WORDS)
    this.boxes = initial.slice(KEY_WORDS)
  }

  encrypt(): void {
    const { keys, boxes } = this
    let l = this.left
    let r = this.right
    for (let round = 0; round < 16; round += 2) {
      l ^= keys[round] as number // 18 words, by construction
      r ^= scramble(boxes, l)
      r ^= keys[round + 1] as number // as above
      l ^= scramble(boxes, r)
    }
    this.left = r ^ (keys[17] as number) // as above
    this.right = l ^ (keys[16] as number) // as above
  }

  /** Mixes a key into the state, and a salt where there is one. */
  expand(key: Uint8Array, salt: Uint8Array | undefined): void {
    for (let index = 0, at = 0; index < KEY_WORDS; index++) {
      let word = 0
      for (let byte = 0; byte < 4; byte++, at = (at + 1) % key.length) word = (word << 8) | (key[at] ?? 0)
      this.keys[index] = (this.keys[index] ?? 0) ^ word
    }
    this.left = 0
    this.right = 0
    let at = this.fill(this.keys, salt, 0)
    at = this.fill(this.boxes, salt, at)
  }

  private fill(words: Uint32Array, salt: Uint8Array | undefined, from: number): number {
    let at = from
    for (let index = 0; index < words.length; index += 2) {
      if (salt) {
        this.left ^= wordAt(salt, at)
        this.right ^= wordAt(salt, at + 4)
        at = (at + 8) % 16
      }
      this.encrypt()
      words[index] = this.left
      words[index + 1] = this.right
    }
    return at
  }
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)

function scramble(boxes: Uint32Array, x: number): number {
  const a = (boxes[x >>> 24] as number) + (boxes[256 + ((x >>> 16) & 255)] as number) // 1024 words, by construction
  return ((a ^ (boxes[512 + ((x >>> 8) & 255)] as number)) + (boxes[768 + (x & 255)] as number)) | 0 // as above
}

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const USUAL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

const encode = (bytes: Uint8Array): string =>
  Array.from(Buffer.from(bytes).toString('base64').replace(/=+$/, ''), (each) => ALPHABET[USUAL.indexOf(each)]).join('')

const decode = (text: string): Uint8Array =>
  Buffer.from(Array.from(text, (each) => USUAL[ALPHABET.indexOf(each)] ?? '').join(''), 'base64')

function hash(password: Uint8Array, salt: Uint8Array, cost: number): string {
  const key = Uint8Array.from([...password, 0])
  const cipher = new Blowfish()
  cipher.expand(key, salt)
  for (let round = 2 ** cost; round > 0; round--) {
    cipher.expand(key, undefined)
    cipher.expand(salt, undefined)
  }
  const text = Buffer.from('OrpheanBeholderScryDoubt')
  for (let at = 0; at < text.length; at += 8) {
    cipher.left = text.readInt32BE(at)
    cipher.right = text.readInt32BE(at + 4)
    for (let turn = 0; turn < 64; turn++) cipher.encrypt()
    text.writeInt32BE(cipher.left, at)
    text.writeInt32BE(cipher.right, at + 4)
  }
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(text.subarray(0, 23))}`
}

/** Hashes a password with a salt of 16 bytes; undefined where it is longer than the 72 bytes that count. */
export function bcryptHash(password: Uint8Array, salt: Uint8Array, cost: number = COST): string | undefined {
  return password.length > LONGEST_PASSWORD ? undefined : hash(password, salt, cost)
}

/** Tells whether a password has a hash. */
export function bcryptMatches(password: Uint8Array, hashed: string): boolean {
  const found = /^\$2[abxy]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/.exec(hashed)
  if (!found || Number(found[1]) > 16) return false
  const again = hash(password, decode(found[2] ?? ''), Number(found[1]))
  return again.slice(7) === hashed.slice(7)
}
