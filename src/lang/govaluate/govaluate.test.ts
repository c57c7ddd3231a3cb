import { expect, test } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { compileGovaluate } from './govaluate.ts'

const parameters: Readonly<Record<string, Json>> = {
  a: 5,
  b: 'text',
  yes: true,
  no: false,
  nothing: null,
  'with-dash': 1,
  deep: { er: 7 },
  list: ['x', 'y'],
}

function value(source: string): unknown {
  const compiled = compileGovaluate(source)
  const made = compiled.ok ? compiled.value.evaluate(parameters) : compiled
  return made.ok ? made.value : made.error[0]?.message
}

test.each([
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['2 ** 3 + 0x10', 24],
  ['7 % 4 - -1', 4],
  ['6 & 3 | 8', 10],
  ['1 << 4 >> 1', 8],
  ['a == 5 && b != "x"', true],
  ["b == 'text' || nobody", true],
  ['!yes || no', false],
  ['a > 4 && a <= 5', true],
  ['"abc" < "abd"', true],
  ['b =~ "^t.*t$"', true],
  ['b !~ "z"', true],
  ['"x" in list', true],
  ['a in (1, 2, 5)', true],
  ['b in ()', false],
  ['yes ? "one" : "two"', 'one'],
  ['no ? "one"', null],
  ['nothing ?? "other"', 'other'],
  ['"a" + 1 + true', 'a1true'],
  ['[with-dash] + 1', 2],
  [String.raw`with\-dash + 1`, 2],
  ['deep.er * 2', 14],
  ['"2014-01-02" == 1388620800', true],
  ["'it\\'s'", "it's"],
  ['~0', -1],
])('%s', (source, want) => {
  expect(value(source)).toEqual(want)
})

test.each([
  ['a && yes', "Value '5' cannot be used with the logical operator '&&', it is not a bool"],
  ['b * 2', "Value 'text' cannot be used with the modifier operator '*', it is not a number"],
  ['b > 2', "Value 'text' cannot be used with the comparator operator '>', it is not a number"],
  ['nobody', "No parameter 'nobody' found."],
  ['deep.nobody', "No method or field 'nobody'"],
  ['a =~ "x"', 'it is not a string'],
  ['b =~ "("', 'Unable to compile regexp pattern'],
  ['b in a', 'it is not an array'],
])('%s fails', (source, want) => {
  expect(value(source)).toContain(want)
})

test.each([
  ['a ==', 'Unexpected end of expression'],
  ['(a', 'Unbalanced parenthesis'],
  ['a b', "unexpected 'b'"],
  ['"open', 'Unclosed string literal'],
  ['[open', 'Unclosed parameter bracket'],
  ['a # b', "Invalid token: '#'"],
  ['', 'Unexpected end of expression'],
])('%j is no expression', (source, want) => {
  expect(value(source)).toContain(want)
})

test('what is deep or long is refused', () => {
  expect(value('('.repeat(5_000))).toContain('nests deeper')
  expect(value('!'.repeat(5_000))).toContain('nests deeper')
  expect(value('a+'.repeat(50_000))).toContain('longer than')
})

test('names that an expression reads', () => {
  const compiled = compileGovaluate('(first && [second-one]) || deep.er > 1')
  expect(compiled.ok && [...compiled.value.names]).toEqual(['first', 'second-one', 'deep.er'])
})
