import { expect, test } from 'vitest'
import { succeed } from '../../../lib/result.ts'
import { checkNullBytes, decodeData, decodeValue } from './decode.ts'
import { dataOfJson, propertyOf, readJson } from './json-value.ts'
import { checkKeys, convertKey, reverseKey, withKeys } from './keys.ts'
import { type Rewrite, rewrite } from './rewrite.ts'

const data = (values: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(values))

test.each([
  ['None', 'aGk=', 'aGk='],
  ['', 'aGk=', 'aGk='],
  ['Base64', 'aGk=', 'hi'],
  ['Base64', 'aG\nk=', 'hi'],
  ['Base64', 'aGk', undefined],
  ['Base64', '_-8=', undefined],
  ['Base64URL', '_-8=', '\udcff\udcef'],
  ['Auto', 'aGk=', 'hi'],
  ['Auto', '_-8=', '\udcff\udcef'],
  ['Auto', 'plain text!', 'plain text!'],
  ['Gzip', 'x', undefined],
])('the strategy %s reads %j as %j', (strategy, value, want) => {
  const read = decodeValue(strategy, value)
  expect(read.ok ? read.value : undefined).toBe(want)
})

test('what cannot be decoded is told by its key alone', () => {
  const read = decodeData('Base64', data({ password: 'canary!' }))
  expect(read).toEqual({ ok: false, error: { why: 'failed', message: 'cannot decode the key "password": the value is not Base64' } })
})

test('null bytes are refused only where the policy says so', () => {
  expect(checkNullBytes('Ignore', data({ a: '\0' })).ok).toBe(true)
  expect(checkNullBytes('Fail', data({ a: 'x' })).ok).toBe(true)
  expect(checkNullBytes('Fail', data({ b: '\0', a: 'canary\0' }))).toMatchObject({
    error: { message: expect.stringMatching(/^the value for key "a" contains null bytes/) as unknown },
  })
})

test.each([
  ['Default', 'team/db pass', 'team_db_pass'],
  ['', 'a:b', 'a_b'],
  ['Unicode', 'a/b😀', 'a_U002f_b_U1f600_'],
  ['Default', 'grüße-1._', 'grüße-1._'],
])('the strategy %s makes of the name %j the key %j', (strategy, name, want) => {
  expect(convertKey(strategy, name)).toBe(want)
  if (strategy === 'Unicode') expect(reverseKey('ReverseUnicode', want)).toBe(name)
})

test('two names that become one key are refused', () => {
  expect(withKeys(data({ 'a/b': '1', 'a:b': '2' }), (key) => convertKey('Default', key))).toMatchObject({
    error: { message: 'secret name collision during conversion: a_b' },
  })
})

test('keys that a Secret cannot have are refused, and one without a name is left out', () => {
  expect(checkKeys(data({ '': 'x', a: 'y' }))).toEqual(succeed(data({ a: 'y' })))
  expect(checkKeys(data({ 'a b': 'y' })).ok).toBe(false)
  expect(checkKeys(data({ ['k'.repeat(254)]: 'y' })).ok).toBe(false)
})

test.each([
  ['{"user":{"name":"x"}}', 'user.name', 'x'],
  ['{"user.name":"flat","user":{"name":"x"}}', 'user.name', 'flat'],
  ['{"a":[{"b":1},{"b":2}]}', 'a.1.b', '2'],
  ['{"a":{"c":"<","b":1}}', 'a', '{"b":1,"c":"\\u003c"}'],
  ['{"a":12345678901234567890}', 'a', '12345678901234567890'],
  ['{"a":"12345678901234567890 and more"}', 'a', '12345678901234567890 and more'],
  ['{"a":true,"b":null}', 'a', 'true'],
  ['{"a":true,"b":null}', 'b', ''],
  ['{"a":1}', 'b', undefined],
  ['{"a":1}', '__proto__', undefined],
])('in %s the property %j is %j', (text, property, want) => expect(propertyOf(readJson(text) ?? null, property)).toBe(want))

test('JSON that nests 100,000 deep is not read', () => expect(readJson('['.repeat(100_000))).toBeUndefined())

test('keys of a JSON object are taken apart, prototype names too', () => {
  expect(dataOfJson('{"__proto__":"a","n":1.5,"o":{"b":[1]}}')).toEqual(
    succeed(new Map([['__proto__', 'a'], ['n', '1.5'], ['o', '{"b":[1]}']])),
  )
  expect(JSON.stringify(dataOfJson('canary'))).not.toContain('canary')
})

const renderName = (template: string, key: string) => succeed(`${template}-${key}`)
const usual = { by: 'merge', into: '', priority: [], strategy: 'Extract', conflictPolicy: 'Error', priorityPolicy: 'Strict' } as const

test.each<{ name: string; steps: Rewrite[]; from: Record<string, string>; want: Record<string, string> | string }>([
  {
    name: 'a regexp with groups renames keys',
    steps: [{ by: 'regexp', source: 'team/(.*)', target: 'db-$1' }],
    from: { 'team/a': '1', other: '2' },
    want: { 'db-a': '1', other: '2' },
  },
  {
    name: 'steps work one after the other',
    steps: [{ by: 'regexp', source: '/', target: '.' }, { by: 'transform', template: 't' }],
    from: { 'a/b': '1' },
    want: { 't-a.b': '1' },
  },
  { name: 'a bad regexp is told', steps: [{ by: 'regexp', source: '(', target: '' }], from: { a: '1' }, want: 'failed rewrite operation[0]' },
  {
    name: 'merging takes objects apart, later keys win where conflicts are ignored',
    steps: [{ ...usual, conflictPolicy: 'Ignore' }],
    from: { b: '{"x":"b"}', a: '{"x":"a","y":{"z":1}}' },
    want: { x: 'b', y: '{"z":1}' },
  },
  {
    name: 'merging refuses conflicts by their names',
    steps: [usual],
    from: { b: '{"x":"b"}', a: '{"x":"a"}' },
    want: 'failed rewrite operation[0]: merge failed with conflicts: x',
  },
  {
    name: 'a key with priority wins',
    steps: [{ ...usual, conflictPolicy: 'Ignore', priority: ['a'] }],
    from: { b: '{"x":"b"}', a: '{"x":"a"}' },
    want: { x: 'a' },
  },
  {
    name: 'a key with priority has to be there',
    steps: [{ ...usual, priority: ['c'] }],
    from: { a: '{"x":"a"}' },
    want: 'failed rewrite operation[0]: merge failed with key "c" not found in input map',
  },
  {
    name: 'unless it may be absent',
    steps: [{ ...usual, priority: ['c'], priorityPolicy: 'IgnoreNotFound' }],
    from: { a: '{"x":"a"}' },
    want: { x: 'a' },
  },
  {
    name: 'merging into JSON keeps the keys that there were',
    steps: [{ ...usual, strategy: 'JSON', into: 'all' }],
    from: { a: '{"x":"<"}' },
    want: { a: '{"x":"<"}', all: '{"x":"<"}' },
  },
  {
    name: 'a value that is no object is told by its key alone',
    steps: [usual],
    from: { a: 'canary' },
    want: 'failed rewrite operation[0]: merge failed: the value of the key "a" is not a JSON object',
  },
])('$name', ({ steps, from, want }) => {
  const made = rewrite(steps, data(from), renderName)
  if (typeof want === 'string') expect(made.ok ? '' : made.error.message).toMatch(want)
  else expect(made).toEqual(succeed(data(want)))
})
