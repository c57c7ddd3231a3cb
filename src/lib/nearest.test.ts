import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test.each([
  { name: 'finds what lacks a letter', word: 'sufix', among: ['suffix', 'name'], want: 'suffix' },
  { name: 'finds what has two letters swapped', word: 'naem', among: ['suffix', 'name'], want: 'name' },
  { name: 'finds what differs in case only', word: 'httpport', among: ['httpPort', 'httpsPort'], want: 'httpPort' },
  { name: 'takes the nearest of several', word: 'httpPor', among: ['httpsPort', 'httpPort'], want: 'httpPort' },
  { name: 'guesses nothing that is far away', word: 'color', among: ['suffix', 'name'], want: undefined },
  { name: 'takes prototype names for words', word: 'constructr', among: ['constructor'], want: 'constructor' },
  {
    name: 'does not compare what is too long',
    word: 'a'.repeat(100_000),
    among: ['a'.repeat(100_000)],
    want: undefined,
  },
])('$name', ({ word, among, want }) => expect(nearest(word, among)).toBe(want))
