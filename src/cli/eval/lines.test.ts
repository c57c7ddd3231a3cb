import { expect, test } from 'vitest'
import { type Line, linesOf } from './lines.ts'

async function split(chunks: readonly (string | Uint8Array)[], longest: number = 100): Promise<readonly Line[]> {
  async function* input(): AsyncGenerator<string | Uint8Array> {
    for (const chunk of chunks) yield await Promise.resolve(chunk)
  }
  const lines: Line[] = []
  for await (const line of linesOf(input(), longest)) lines.push(line)
  return lines
}

const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)]

test.each<{ name: string; chunks: readonly (string | Uint8Array)[]; want: readonly Line[] }>([
  { name: 'nothing holds no line', chunks: [], want: [] },
  { name: 'the last line needs no line feed', chunks: ['a\nb'], want: [{ text: 'a' }, { text: 'b' }] },
  { name: 'an empty line is a line', chunks: ['\n\n'], want: [{ text: '' }, { text: '' }] },
  {
    name: 'lines and characters go on over chunks',
    chunks: ['a', first, second, 'b\nc\n'],
    want: [{ text: 'aéb' }, { text: 'c' }],
  },
  {
    name: 'U+2028 and a carriage return stand inside lines',
    chunks: ['a\u2028b\rc\n'],
    want: [{ text: 'a\u2028b\rc' }],
  },
  {
    name: 'a line over the limit is counted, and the next one is read',
    chunks: ['x'.repeat(60), 'x'.repeat(60), '\nnext'],
    want: [{ bytes: 120 }, { text: 'next' }],
  },
  { name: 'a line at the limit is read', chunks: ['x'.repeat(100), '\n'], want: [{ text: 'x'.repeat(100) }] },
])('$name', async ({ chunks, want }) => {
  expect(await split(chunks)).toEqual(want)
})
