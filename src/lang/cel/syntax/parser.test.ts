import { describe, expect, test } from 'vitest'
import { parse } from './parser.ts'

const problem = (source: string): string => {
  const parsed = parse(source)
  return parsed.ok ? 'parsed' : `${parsed.error[0]?.at ?? ''} ${parsed.error[0]?.message ?? ''}`
}

describe('mistakes are told with their place', () => {
  test.each([
    ['1 +', /^1:4 Syntax error: mismatched input '<EOF>'/],
    ['a\n  .b(', /^2:6 Syntax error/],
    ["'😀' + $", /^1:7 Syntax error: token recognition error at: '\$'/],
    ['for', /^1:1 reserved identifier: for/],
    ["'\\q'", /invalid escape/],
    ["'\\ud800'", /invalid unicode code point/],
    ['9223372036854775808', /invalid int literal/],
    ['18446744073709551616u', /invalid uint literal/],
    ['"open', /^1:1 Syntax error: token recognition/],
    ['!-a', /Syntax error/],
    ['', /^1:1 Syntax error/],
  ])('%j', (source, message) => expect(problem(source)).toMatch(message))
})

describe('hostile nesting is refused, not suffered', () => {
  const deep = 40_000
  test.each([
    ['parentheses', '('.repeat(deep)],
    ['brackets', '['.repeat(deep)],
    ['braces', '{1:'.repeat(30_000)],
    ['calls', 'f('.repeat(deep)],
    ['conditions', 'a?b:'.repeat(20_000)],
    ['selections', `a${'.b'.repeat(deep)}`],
    ['sums', `1${'+1'.repeat(deep)}`],
  ])('%s', (_name, source) => expect(problem(source)).toMatch(/recursion|depth/))

  test.each([
    ['nots', `${'!'.repeat(90_000)}a`],
    ['minuses', `${'-'.repeat(90_000)}a`],
    ['conjunctions', Array.from({ length: 10_000 }, () => 'a').join(' && ')],
  ])('%s make no deep tree', (_name, source) => expect(problem(source)).toBe('parsed'))

  test('a source that is too long', () => expect(problem(`'${'x'.repeat(100_000)}'`)).toMatch(/size exceeds limit/))

  test('unclosed strings and comments are read once', () => {
    expect(problem(`'${"\\'".repeat(49_000)}`)).toMatch(/token recognition/)
    expect(problem(`1 ${'//'.repeat(40_000)}`)).toBe('parsed')
  })
})
