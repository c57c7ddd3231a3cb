import { expect, test } from 'vitest'
import { remembered } from './remembered.ts'

test('what was made is made once, even if it is nothing, until there is too much of it', () => {
  const made: string[] = []
  const lengthOf = remembered<string, number | undefined>(2, (key) => {
    made.push(key)
    return key === '' ? undefined : key.length
  })
  expect([lengthOf('a'), lengthOf('a'), lengthOf(''), lengthOf('')]).toEqual([1, 1, undefined, undefined])
  expect(made).toEqual(['a', ''])
  expect([lengthOf('ccc'), lengthOf('ccc'), lengthOf('a')]).toEqual([3, 3, 1])
  expect(made).toEqual(['a', '', 'ccc', 'a'])
})

test('what cannot be made is tried again', () => {
  let tries = 0
  const never = remembered<string, never>(2, () => {
    tries += 1
    throw new Error('no')
  })
  expect(() => never('x')).toThrow('no')
  expect(() => never('x')).toThrow('no')
  expect(tries).toBe(2)
})
