import { expect, test } from 'vitest'
import { readBounded } from './read-bounded.ts'

test.each([
  { name: 'nothing', parts: [], most: 0, want: '' },
  { name: 'as many bytes as may be', parts: ['ab', 'c'], most: 3, want: 'abc' },
  { name: 'a letter that comes in two parts', parts: [Buffer.of(0xc3), Buffer.of(0xa4)], most: 2, want: 'ä' },
  { name: 'a byte too many', parts: ['ab', 'cd'], most: 3, want: undefined },
])('a body of $name is read', async ({ parts, most, want }) => {
  const body = (async function* () {
    for (const part of parts) yield Buffer.from(part)
  })()
  expect((await readBounded(body, most))?.toString('utf8')).toBe(want)
})

test('a body that is too long is let go where it is', async () => {
  const seen: string[] = []
  const body = (async function* () {
    try {
      for (const part of ['ab', 'cd', 'ef']) {
        seen.push(part)
        yield Buffer.from(part)
      }
    } finally {
      seen.push('let go')
    }
  })()
  expect(await readBounded(body, 3)).toBe(undefined)
  expect(seen).toEqual(['ab', 'cd', 'let go'])
})
