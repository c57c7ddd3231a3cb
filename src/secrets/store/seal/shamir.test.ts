import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededIds, systemIds } from '../../../lib/ids.ts'
import { combineShares, splitSecret } from './shamir.ts'

const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

test('any threshold of the shares give the secret back, in any order', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 0, max: 10 }),
      fc.integer(),
      (secret, threshold, more, seed) => {
        const shares = splitSecret(secret, { shares: threshold + more, threshold }, seededIds(seed))
        const chosen = fc.sample(fc.shuffledSubarray([...shares], { minLength: threshold, maxLength: threshold }), {
          numRuns: 1,
          seed,
        })[0]!
        expect(combineShares(chosen)).toEqual({ ok: true, value: secret })
      },
    ),
    { numRuns: 200 },
  )
})

test('shares are one byte longer than the secret, and differ', () => {
  const shares = splitSecret(systemIds.bytes(32), { shares: 255, threshold: 3 }, systemIds)
  expect(shares.every((share) => share.length === 33)).toBe(true)
  expect(new Set(shares.map((share) => share[32])).size).toBe(255)
})

test('one share fewer than the threshold gives something else', () => {
  const secret = bytes('00112233445566778899aabbccddeeff')
  const shares = splitSecret(secret, { shares: 5, threshold: 3 }, seededIds(7))
  expect(combineShares(shares.slice(0, 2))).not.toEqual({ ok: true, value: secret })
})

test('shares worked out by hand over the field of AES are combined', () => {
  // The line 0x42 + 0x07 x, at x = 1 and x = 2: 0x45 and 0x4c. The parabola 0x10 + 0x02 x + 0x80 x^2 at 1, 2 and 3.
  const line = [bytes('4501'), bytes('4c02')]
  const parabola = [bytes('9201'), bytes('2202'), bytes('a003')]
  expect(combineShares(line)).toEqual({ ok: true, value: Uint8Array.of(0x42) })
  expect(combineShares(parabola)).toEqual({ ok: true, value: Uint8Array.of(0x10) })
})

test.each([
  ['a single share', ['aa01'], 'less than two'],
  ['no share', [], 'less than two'],
  ['shares of different lengths', ['aa01', 'aabb02'], 'same length'],
  ['the same share twice', ['aa01', 'aa01'], 'duplicate'],
  ['shares of one byte', ['01', '02'], 'two bytes'],
  ['a share for zero', ['aa00', 'aa01'], 'x = 0'],
])('%s is refused', (_, shares, message) => {
  const combined = combineShares(shares.map(bytes))
  expect(combined.ok ? '' : combined.error[0]?.message).toContain(message)
})

test.each([
  { shares: 1, threshold: 1 },
  { shares: 2, threshold: 3 },
  { shares: 256, threshold: 2 },
])('$shares shares with a threshold of $threshold are a bug of the caller', (how) => {
  expect(() => splitSecret(bytes('aa'), how, systemIds)).toThrow('cannot split')
})
