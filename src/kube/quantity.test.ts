import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  milliOf,
  parseQuantity,
  type Quantity,
  subtractQuantity,
  unitsOf,
} from './quantity.ts'

const read = (text: string): Quantity => {
  const result = parseQuantity(text)
  if (!result.ok) throw new Error(result.error[0]?.message)
  return result.value
}

test.each([
  ['0.5', '500m'],
  ['1500m', '1500m'],
  ['1000m', '1'],
  ['1000', '1k'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1000Ki', '1000Ki'],
  ['512', '512'],
  ['1023Ki', '1023Ki'],
  ['0.5Ki', '512'],
  ['0.3Ki', '307200m'],
  ['1e3', '1e3'],
  ['1E6', '1e6'],
  ['1E', '1E'],
  ['12e2', '1200'],
  ['+1', '1'],
  ['-1500m', '-1500m'],
  ['.5', '500m'],
  ['5.', '5'],
  ['0', '0'],
  ['0Gi', '0'],
  ['0.0000000001', '1n'],
  ['100E', '9223372036854775807'],
  ['1e9999', '9223372036854775807'],
])('%s is printed as %s', (text, canonical) => {
  expect(formatQuantity(read(text))).toBe(canonical)
})

test.each(['', ' ', '1 ', 'abc', '1Zi', '1.2.3', '--1', '.', '1e', '1e+', 'Ki', '1mm', '0x10', '1'.repeat(500)])(
  '%j is refused',
  (text) => {
    expect(parseQuantity(text)).toMatchObject({ ok: false, error: [{ code: 'quantity-invalid' }] })
  },
)

test('millicores and bytes round up', () => {
  expect(milliOf(read('100u'))).toBe(1)
  expect(milliOf(read('2.5'))).toBe(2500)
  expect(unitsOf(read('1.5'))).toBe(2)
  expect(unitsOf(read('1Mi'))).toBe(1_048_576)
})

const amounts = fc
  .tuple(
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    fc.constantFrom('n', 'u', 'm', '', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e2', 'e-3'),
  )
  .map(([number, suffix]) => `${number}${suffix}`)

test('printing and reading again keeps the amount', () => {
  fc.assert(fc.property(amounts, (text) => compareQuantity(read(formatQuantity(read(text))), read(text)) === 0))
})

test('adding and subtracting the same gives the first back', () => {
  fc.assert(
    fc.property(
      amounts,
      amounts,
      (a, b) => compareQuantity(subtractQuantity(addQuantity(read(a), read(b)), read(b)), read(a)) === 0,
    ),
  )
})
