import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emitYaml, emitYamlDocuments, parseYaml } from '../yaml.ts'

// Seen with helm 3.17.2 and 4.1.4: `toYaml`. test/differential/helm.test.ts compares thousands more.
test.each([
  [
    'sorts keys, letters last, digits by value',
    { b: 1, a10: 1, a9: 1, _x: 1, '1': 1, A: 1 },
    '_x: 1\n"1": 1\nA: 1\na9: 1\na10: 1\nb: 1\n',
  ],
  [
    'quotes what would be something else',
    ['yes', 'n', '', 'null', '1e3', '0x1', '12:30', '2001-12-14', '~'],
    '- "yes"\n- "n"\n- ""\n- "null"\n- "1e3"\n- "0x1"\n- "12:30"\n- "2001-12-14"\n- "~"\n',
  ],
  [
    'uses single quotes for indicators',
    ['# x', 'a: b', '- a', '*x', "it's", ' x'],
    "- '# x'\n- 'a: b'\n- '- a'\n- '*x'\n- it's\n- ' x'\n",
  ],
  ['escapes what cannot be seen', ['\t', '😀', 'é'], '- "\\t"\n- "\\U0001F600"\n- é\n'],
  [
    'numbers as Go prints them',
    [1e6, 1.5, 1e-5, 123456789.5, 1e21, -0, 2 ** 53],
    '- 1000000\n- 1.5\n- 1e-05\n- 1.234567895e+08\n- 1e+21\n- 0\n- 9007199254740992\n',
  ],
  ['bigints in full', { v: 18446744073709551615n }, 'v: 18446744073709551615\n'],
  [
    'literals with their hints',
    { a: 'x\ny\n', b: 'x\ny', c: 'x\n\n', d: ' x\ny' },
    'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2-\n   x\n  y\n',
  ],
  ['double quotes for lines that end in spaces', { a: 'x \ny' }, 'a: "x \\ny"\n'],
  [
    'nests without indenting lists in maps',
    { a: [{ b: [1, [2, 3]], c: {} }, []] },
    'a:\n- b:\n  - 1\n  - - 2\n    - 3\n  c: {}\n- []\n',
  ],
  ['folds at 80 columns', { a: 'word '.repeat(20).trim() }, `a: ${'word '.repeat(16).trim()}\n  word word word word\n`],
  ['long keys stand on their own line', { ['k'.repeat(129)]: 1 }, `? ${'k'.repeat(129)}\n: 1\n`],
  ['leaves out what is undefined', { a: undefined, b: null }, 'b: null\n'],
  ['keeps prototype names', JSON.parse('{"__proto__": 1}') as unknown, '__proto__: 1\n'],
  ['a text alone', 'a\nb', '|-\n  a\n  b\n'],
])('%s', (_name, value, want) => {
  expect(emitYaml(value)).toBe(want)
})

test('several documents have a marker between them', () => {
  expect(emitYamlDocuments([{ a: 1 }, 'x'])).toBe('a: 1\n---\nx\n')
})

test('cycles and deep values are refused', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  expect(() => emitYaml(cycle)).toThrow(/deeper than/)
})

test('what is written reads back as it was', () => {
  // Next-line characters and byte order marks are not carried by the format, in Go neither.
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...Array.from('ab1-?:#&*!|>\'"%@` \n\t,[]{}=~.yn0_/\\é日')) }),
    fc.constantFrom('yes', 'null', '1e3', '0o7', '2001-01-01', '---', '...', '- ', 'a: b'),
  )
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }),
    map: fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  })).value
  fc.assert(
    fc.property(json, (value) => {
      const plain = JSON.parse(JSON.stringify({ value })) as unknown
      expect(parseYaml(emitYaml(plain))).toEqual({ ok: true, value: plain })
    }),
    { numRuns: 500 },
  )
})
