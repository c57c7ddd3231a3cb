import { expect, test } from 'vitest'
import { createYamlCache, parseYaml, parseYamlDocuments } from '../yaml.ts'

const valueOf = (text: string, options: Parameters<typeof parseYaml>[1] = {}): unknown => {
  const read = parseYaml(text, options)
  if (!read.ok) throw new Error(read.error[0]?.message)
  return read.value
}
const problemOf = (text: string, options: Parameters<typeof parseYaml>[1] = {}): unknown => {
  const read = parseYaml(text, options)
  return read.ok ? read.value : read.error[0]
}

// Seen with helm 3.17.2 and 4.1.4: `toJson .Values`.
test.each([
  ['yes', true, 'yes'],
  ['y', true, 'y'],
  ['OFF', false, 'OFF'],
  ['oFf', 'oFf', 'oFf'],
  ['TRUE', true, true],
  ['~', null, null],
  ['nULL', 'nULL', 'nULL'],
  ['017', 15, 15],
  ['08', 8, 8],
  ['0o17', 15, 15],
  ['0o8', '0o8', '0o8'],
  ['-0b11', -3, -3],
  ['+0x1F', 31, 31],
  ['0xFFFFFFFFFFFFFFFFF', '0xFFFFFFFFFFFFFFFFF', '0xFFFFFFFFFFFFFFFFF'],
  ['1_000', 1000, 1000],
  ['_1', '_1', '_1'],
  ['1e3', 1000, 1000],
  ['1e400', '1e400', '1e400'],
  ['.5', 0.5, 0.5],
  ['+.5', 0.5, 0.5],
  ['12:30:45', '12:30:45', '12:30:45'],
  ['2001-12-14', '2001-12-14', '2001-12-14T00:00:00Z'],
  ['2001-13-14', '2001-13-14', '2001-13-14'],
  ['2001-1-2 3:04:05.60', '2001-1-2 3:04:05.60', '2001-01-02T03:04:05.6Z'],
  ['9007199254740993', 9007199254740992, 9007199254740992],
  ['!!str 1', '1', '1'],
  ['!!float 3', 3, 3],
  ['!whatever x', 'x', 'x'],
  ['!!binary aGVsbG8=', 'hello', 'hello'],
  ['<<', '<<', '<<'],
])('the plain scalar %s reads as Go and as kustomize read it', (text, go, kyaml) => {
  expect(valueOf(`v: ${text}`)).toEqual({ v: go })
  expect(valueOf(`v: ${text}`, { dialect: 'kyaml' })).toEqual({ v: kyaml })
})

test('keys are text: booleans and numbers are spelled out', () => {
  expect(valueOf('n: 1\n017: 2\n"1": 3\n')).toEqual({ false: 1, '15': 2, '1': 3 })
})

test('integers beyond 2^53 are kept when asked for', () => {
  expect(valueOf('v: 18446744073709551615', { exactIntegers: true })).toEqual({ v: 18446744073709551615n })
  expect(valueOf('v: 18446744073709551616', { exactIntegers: true })).toEqual({ v: 18446744073709552000 })
})

test('a key that is written twice: the last wins for helm, kustomize refuses with the place', () => {
  expect(valueOf('a: 1\na: 2\n')).toEqual({ a: 2 })
  expect(problemOf('a: 1\na: 2\n', { dialect: 'kyaml', file: 'x.yaml' })).toMatchObject({
    code: 'yaml-invalid',
    at: expect.stringMatching(/^x\.yaml:2:/) as unknown,
  })
})

test('aliases are copies, and prototype names are data', () => {
  const value = valueOf('a: &a {x: [1]}\nb: *a\n__proto__: {polluted: true}\nconstructor: c\n') as Record<
    string,
    unknown
  >
  expect(Object.keys(value)).toEqual(['a', 'b', '__proto__', 'constructor'])
  expect(value['a']).toEqual(value['b'])
  expect(value['a']).not.toBe(value['b'])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('only the first document is read, as Go does; a stream gives every document with its line', () => {
  expect(valueOf('# c\n---\na: 1\n---\nb: [\n')).toEqual({ a: 1 })
  const read = parseYamlDocuments('# first\n\na: 1\n---\n---\n# c\nb: 2\n...\n--- {c: 3}\n')
  expect(read).toEqual({
    ok: true,
    value: [
      { line: 1, value: { a: 1 } },
      { line: 4, value: null },
      { line: 5, value: { b: 2 } },
      { line: 9, value: { c: 3 } },
    ],
  })
})

test('a problem names the file, the line in the stream and the column', () => {
  const read = parseYamlDocuments('a: 1\n---\nb:\n  c: d: e\n', { file: 'chart/values.yaml' })
  expect(read.ok ? '' : read.error[0]?.at).toMatch(/^chart\/values\.yaml:4:\d+$/)
})

test.each([
  ['deep flow', '['.repeat(100_000)],
  ['deep JSON', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['deep block', '- '.repeat(100_000)],
  ['deep maps', Array.from({ length: 5_000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  [
    'an alias bomb',
    [
      'a0: &a0 [x,x,x,x,x,x,x,x,x]',
      ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`),
    ].join('\n'),
  ],
  ['an alias of itself', 'a: &a [*a]'],
  ['not a number', 'a: .nan'],
  ['a tag that does not fit', 'a: !!int x'],
  ['an unknown alias', 'a: *b'],
  ['a null byte', 'a: \0'],
  ['a null key', 'a: 1\n~: 2\n'],
  ['a null key in braces', 'a: {null: 2}'],
  ['a null key in a list', '- null : 2'],
])('%s is a clear error', (_name, text) => {
  expect(problemOf(text)).toMatchObject({
    code: 'yaml-invalid',
    message: expect.stringContaining('cannot read YAML') as unknown,
  })
})

test('a text over the limit is refused', () => {
  expect(problemOf('a: 1234567890', { maxChars: 10 })).toMatchObject({ code: 'yaml-too-large' })
})

test('the cache answers the same frozen documents for the same text', () => {
  const cache = createYamlCache(20)
  const first = cache.documents('a: {b: 1}')
  expect(cache.documents('a: {b: 1}')).toEqual(first)
  expect(first.ok && cache.documents('a: {b: 1}').ok).toBe(true)
  expect(first.ok && Object.isFrozen(first.value[0]?.value)).toBe(true)
})

test.each([
  ['a: |\n  x', 'x'],
  ['a: |\n  x\n', 'x\n'],
  ['a: |+\n  x\n  ', 'x\n'],
  ['a: >\n  x\n  y', 'x y'],
  ['a: &n |\n  x"', 'x"'],
  ['a: "x\\n"', 'x\n'],
])('a block text that the end of the file cuts short has no line feed: %j', (text, want) => {
  expect(valueOf(text)).toEqual({ a: want })
})

test('what looks like a null key in a text is none', () => {
  expect(valueOf('a: |\n  null: 1\nb: null\nc: "~: x"\nnullable: 1\n')).toEqual({
    a: 'null: 1\n',
    b: null,
    c: '~: x',
    nullable: 1,
  })
})
