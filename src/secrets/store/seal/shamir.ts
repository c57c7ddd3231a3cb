import type { Ids } from '../../../lib/ids.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'

/*
 * Shamir's secret sharing over GF(2^8) with the polynomial of AES (0x11b). A share is one byte per byte of the secret and a
 * last byte that says for which x it was evaluated: the format in which Vault hands out unseal keys.
 */

/** Powers of the generator 3, twice over so that sums of two logarithms need no reduction. */
const EXP = new Uint8Array(510)
const LOG = new Uint8Array(256)
for (let power = 0, value = 1; power < 255; power++) {
  EXP[power] = value
  EXP[power + 255] = value
  LOG[value] = power
  const doubled = (value << 1) ^ (value & 0x80 ? 0x11b : 0)
  value = doubled ^ value
}

const multiply = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : (EXP[(LOG[a] ?? 0) + (LOG[b] ?? 0)] ?? 0))

/** `b` is never zero here: shares have different, non-zero x. */
const divide = (a: number, b: number): number => (a === 0 ? 0 : (EXP[(LOG[a] ?? 0) - (LOG[b] ?? 0) + 255] ?? 0))

/** Splits a secret into shares, any `threshold` of which give it back, and fewer of which say nothing about it. */
export function splitSecret(
  secret: Uint8Array,
  { shares, threshold }: { readonly shares: number; readonly threshold: number },
  ids: Pick<Ids, 'bytes'>,
): readonly Uint8Array[] {
  if (threshold < 2 || shares < threshold || shares > 255 || secret.length === 0) {
    throw new Error(`cannot split ${secret.length} bytes into ${shares} shares of which ${threshold} are enough`)
  }
  const places = shuffledPlaces(ids).slice(0, shares)
  const random = ids.bytes(secret.length * (threshold - 1))
  return places.map((x) => {
    const share = new Uint8Array(secret.length + 1)
    for (let at = 0; at < secret.length; at++) {
      let value = 0
      for (let power = threshold - 2; power >= 0; power--) {
        value = multiply(value, x) ^ (random[at * (threshold - 1) + power] ?? 0)
      }
      share[at] = multiply(value, x) ^ (secret[at] ?? 0)
    }
    share[secret.length] = x
    return share
  })
}

/** Puts shares together. Too few or wrong shares give a wrong secret: whoever uses it finds out. */
export function combineShares(shares: readonly Uint8Array[]): Result<Uint8Array> {
  const [first] = shares
  if (!first || shares.length < 2) return malformed('less than two parts cannot be used to reconstruct the secret')
  if (first.length < 2) return malformed('parts must be at least two bytes')
  if (shares.some((share) => share.length !== first.length)) return malformed('all parts must be the same length')
  const last = first.length - 1
  const places = shares.map((share) => share[last] ?? 0)
  if (new Set(places).size !== places.length) return malformed('duplicate part detected')
  if (places.includes(0)) return malformed('a part is for x = 0, which no split makes')
  const weights = places.map((x, index) =>
    places.reduce((weight, other, at) => (at === index ? weight : multiply(weight, divide(other, x ^ other))), 1),
  )
  const secret = new Uint8Array(last)
  for (let at = 0; at < last; at++) {
    let value = 0
    for (const [index, share] of shares.entries()) value ^= multiply(share[at] ?? 0, weights[index] ?? 0)
    secret[at] = value
  }
  return succeed(secret)
}

const malformed = (message: string): ReturnType<typeof fail> => fail({ code: 'secret-share-invalid', message })

/** Every x from 1 to 255, in an order that chance decides without a bias. */
function shuffledPlaces(ids: Pick<Ids, 'bytes'>): number[] {
  const places = Array.from({ length: 255 }, (_, index) => index + 1)
  for (let index = places.length - 1; index > 0; index--) {
    const other = belowOf(index + 1, ids)
    const moved = places[index] ?? 0
    places[index] = places[other] ?? 0
    places[other] = moved
  }
  return places
}

function belowOf(limit: number, ids: Pick<Ids, 'bytes'>): number {
  const usable = 256 - (256 % limit)
  for (;;) {
    for (const byte of ids.bytes(4)) if (byte < usable) return byte % limit
  }
}
