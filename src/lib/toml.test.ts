import { expect, test } from 'vitest'
import { emitToml, parseToml } from './toml.ts'

const read = (text: string): unknown => {
  const parsed = parseToml(text)
  return parsed.ok ? parsed.value : (parsed.error[0]?.message ?? '')
}

test('reads every kind of value', () => {
  const text = `
# a comment
title = "TOML \\u00e9 \\"q\\"" # more
raw = 'C:\\x'
multi = """
one \\
   two
three"""
int = 1_000
hex = 0xff
float = -1.5e3
yes = true
date = 2001-12-14T21:59:43Z
list = [1, [2, "x"], # inside
  3,]
inline = {a = 1, b.c = "d"}
dotted.key = 1
[table."quoted key"]
x = 1
[[array]]
n = 1
[[array]]
n = 2
[array.sub]
m = 3
`
  expect(read(text)).toEqual({
    title: 'TOML é "q"',
    raw: 'C:\\x',
    multi: 'one two\nthree',
    int: 1000n,
    hex: 255n,
    float: -1500,
    yes: true,
    date: '2001-12-14T21:59:43Z',
    list: [1n, [2n, 'x'], 3n],
    inline: { a: 1n, b: { c: 'd' } },
    dotted: { key: 1n },
    table: { 'quoted key': { x: 1n } },
    array: [{ n: 1n }, { n: 2n, sub: { m: 3n } }],
  })
})

test.each([
  'a',
  'a =',
  'a = 01',
  'a = 1 b = 2',
  'a = 1\na = 2',
  '[a]\n[a]',
  'a = "x',
  'a = [1',
  'a = {b = 1',
  '[a',
  'a = 99999999999999999999',
  `a = ${'['.repeat(5_000)}`,
])('%j is refused with its line', (text) => {
  expect(read(text)).toMatch(/^toml: line \d: /)
})

// Seen with helm 3.17.2 and 4.1.4: `toToml`.
test('writes scalars first, tables last and indented', () => {
  const value = {
    z: 1n,
    f: 1e6,
    t: { b: [1.5, { x: 'y' }], e: {} },
    list: [{ a: true }, { a: false }],
    'a key': 'q"\n',
    none: null,
  }
  expect(emitToml(value)).toBe(
    '"a key" = "q\\"\\n"\nf = 1000000.0\nz = 1\n\n[[list]]\n  a = true\n\n[[list]]\n  a = false\n\n[t]\n  b = [1.5, {x = "y"}]\n  [t.e]\n',
  )
  expect(emitToml({ f: 1e6, g: 0.00001 }, 'short')).toBe('f = 1e+06\ng = 1e-05\n')
  expect(() => emitToml([1])).toThrow('top-level values must be Go maps')
})
