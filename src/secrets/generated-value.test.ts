import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededIds } from '../lib/ids.ts'
import { generatedValue } from './generated-value.ts'

test('a value has the length that is wanted and the letters of what was there', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', 'old', 'deadbeefdeadbeef'),
      fc.integer({ min: 1, max: 300 }),
      fc.integer(),
      (old, length, seed) => {
        expect(generatedValue(old, length, seededIds(seed))).toMatch(
          new RegExp(`^${old.startsWith('dead') ? '[0-9a-f]' : '[A-Za-z0-9]'}{${length}}$`),
        )
      },
    ),
  )
})
