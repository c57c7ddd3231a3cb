import { describe, expect, test } from 'vitest'
import { compile } from './cel.ts'
import { answer, everything } from './testkit.ts'

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

describe('large input costs what it is large', () => {
  const text = 'a'.repeat(10 * 1024 * 1024)
  test.each([
    ['s.size()', text.length],
    ["s.startsWith('a') || true", expect.stringMatching(/^cel-budget-exceeded/)],
    ["s.contains('b')", expect.stringMatching(/^cel-budget-exceeded/)],
    ["s.matches('(a+)+b')", expect.stringMatching(/^cel-budget-exceeded/)],
    ["s.split('')", expect.stringMatching(/^cel-budget-exceeded/)],
    ["s.replace('a', 'bbbbbbbbbb')", expect.stringMatching(/^cel-budget-exceeded/)],
    ['s + s', expect.stringMatching(/^cel-budget-exceeded/)],
  ])('%s', (source, want) => expect(answer(source, { s: text })).toEqual(want))
})

describe('nothing is made that would be too large', () => {
  const replaced = "'a'.replace('', s)".replace("'a'", "'aaaaaaaaaa'")
  test.each([
    ['a replacement that multiplies', `${replaced.replace('s)', "'b'.replace('', 'c'))")}.size() < 100`, true],
    ['a range', 'lists.range(9000000000)', expect.stringMatching(/^cel-/)],
    ['a precision', "'%.999999999f'.format([1.5])", expect.stringMatching(/precision/)],
    [
      'a list that doubles',
      `cel.bind(l, [0, 0, 0, 0], ${Array.from({ length: 60 }).reduce<string>((body) => `cel.bind(l, l + l, ${body})`, 'l.size()')})`,
      expect.stringMatching(/^cel-/),
    ],
    ['a shift', 'math.bitShiftLeft(1, 9223372036854775807)', 0],
    [
      'a macro that copies its receiver',
      `optional.of(1)${'.optMap(x, x + 1)'.repeat(30)}`,
      expect.stringMatching(/more than 200000 parts/),
    ],
  ])('%s', (_name, source, want) => expect(answer(source)).toEqual(want))
})

describe('deep input is refused where it is walked', () => {
  const deep = nested(100_000)
  test.each([
    ['x == x', expect.stringMatching(/^cel-evaluation-failed: cannot evaluate/)],
    ['[x, x].distinct().size()', expect.stringMatching(/^cel-evaluation-failed: cannot evaluate/)],
    ["'%s'.format([x])", expect.stringMatching(/too deep/)],
    ['x[0].size()', 1],
  ])('%s', (source, want) => expect(answer(source, { x: deep })).toEqual(want))
})

describe('names of the prototype are data', () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "hasOwnProperty": 2}')
  test.each([
    ['x.map(k, k)', ['__proto__', 'constructor', 'hasOwnProperty']],
    ['x.constructor + x.hasOwnProperty', 3],
    ["x['__proto__'].polluted", true],
    ["'toString' in x || has(x.valueOf) || '__proto__' in {}", false],
    ["{'__proto__': 1}.__proto__", 1],
    ["{'constructor': 1}.transformMap(k, v, k)", { constructor: 'constructor' }],
    ['x == x', true],
  ])('%s', (source, want) => expect(answer(source, { x: hostile })).toEqual(want))

  test('as variables too', () => {
    const program = compile(everything(['constructor']), 'constructor == 1')
    expect(program.ok && program.value.evaluate(JSON.parse('{"constructor": 1}'))).toMatchObject({
      value: { value: true },
    })
    expect(program.ok && program.value.evaluate({})).toMatchObject({ ok: false })
  })
})
