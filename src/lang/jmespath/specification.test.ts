import { expect, test } from 'vitest'
import { seededIds } from '../../lib/ids.ts'
import { compileJmesPath } from './jmespath.ts'
import type { JmesPathPorts } from './run.ts'

const ports: JmesPathPorts = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5), ids: seededIds() }

const team = {
  name: 'payments',
  size: 3,
  tags: ['a', 'b', 'c', 'd'],
  empty: [],
  none: null,
  'with space': { 'ö"': 1 },
  people: [
    { name: 'Ada', age: 36, langs: ['ts', 'go'], boss: true },
    { name: 'Bob', age: 29, langs: ['go'] },
    { name: 'Eve', age: 41, langs: [], boss: null },
  ],
  nested: [[1, 2], [3, [4]], 5, null],
  services: { web: { port: 80, up: true }, db: { port: 5432, up: false }, raw: 7 },
}

function find(expression: string, data: unknown = team): unknown {
  const path = compileJmesPath(expression)
  if (!path.ok) return path.error[0]?.code
  const found = path.value.search(data, ports)
  return found.ok ? found.value : found.error[0]?.code
}

test.each<[says: string, expression: string, want: unknown]>([
  ['a name reads a key', 'name', 'payments'],
  ['a quoted name may hold anything', '"with space"."\\u00f6\\""', 1],
  ['a missing key is told', 'people[0].salary', 'jmespath-key-unknown'],
  ['a key of a text is null', 'name.first', null],
  ['a key below null is null', 'none.first', null],
  ['a pipe forgives a missing key', 'salary | @', null],
  ['or forgives a missing key', "salary || 'none'", 'none'],
  ['and does not forgive a missing key on its right', 'name && salary', 'jmespath-key-unknown'],
  ['not of a missing key is true', '!salary', true],
  ['an index counts from 0', 'tags[1]', 'b'],
  ['a negative index counts from the end', 'tags[-1]', 'd'],
  ['an index beyond the end is null', 'tags[9]', null],
  ['an index of an object is null', 'services[0]', null],
  ['a slice takes a part', 'tags[1:3]', ['b', 'c']],
  ['a slice may step', 'tags[::2]', ['a', 'c']],
  ['a slice may run backwards', 'tags[::-1]', ['d', 'c', 'b', 'a']],
  ['a slice backwards has its bounds', 'tags[2:0:-1]', ['c', 'b']],
  ['a slice may reach beyond the list', 'tags[-10:10]', ['a', 'b', 'c', 'd']],
  ['a slice of no list is null', 'name[0:1]', null],
  ['a slice with step 0 is refused', 'tags[::0]', 'jmespath-evaluation-failed'],
  ['a slice projects', 'people[:2].name', ['Ada', 'Bob']],
  ['a list projection leaves nulls out', 'people[*].boss', [true]],
  ['a list projection of an object is null', 'services[*]', null],
  ['projections nest', 'people[*].langs[*]', [['ts', 'go'], ['go'], []]],
  ['flatten joins one level', 'nested[]', [1, 2, 3, [4], 5]],
  ['flatten twice joins two levels', 'nested[][]', [1, 2, 3, 4, 5]],
  ['flatten ends the projection before it', 'people[*].langs[] | [0]', 'ts'],
  ['flatten of no list is null', 'name[]', null],
  ['an object projection takes the values', 'services.*.port', [80, 5432]],
  ['a star alone takes the values', '* | [0]', 'payments'],
  ['a star in brackets among others is a list', '[*, `1`] | [1]', 1],
  ['a filter keeps what is true', 'people[?age > `30`].name', ['Ada', 'Eve']],
  ['a filter forgives missing keys', 'people[?boss].name', ['Ada']],
  ['a filter compares', "people[?name == 'Bob'] | [0].age", 29],
  ['a filter may hold logic', 'people[?age < `30` || boss].name', ['Ada', 'Bob']],
  ['a filter of an unknown key is null', 'friends[?a]', null],
  ['a filter before a flatten projects nothing', 'people[?age > `30`].langs[]', ['ts', 'go']],
  ['a multiselect list makes a list', '[name, size, salary]', ['payments', 3, null]],
  ['a multiselect hash makes an object', '{n: name, "s": size}', { n: 'payments', s: 3 }],
  ['a multiselect in a projection', 'people[*].{n: name, a: age} | [1]', { n: 'Bob', a: 29 }],
  ['a multiselect of null is null', 'none.[a]', null],
  ['a multiselect keeps a key called __proto__', '{"__proto__": name} | keys(@)', ['__proto__']],
  ['commas in a hash may be left out', '{a: size b: size}', { a: 3, b: 3 }],
  ['commas between arguments may be left out', "starts_with(name 'pay')", true],
  ['a pipe ends a projection', 'people[*].name | [0]', 'Ada'],
  ['parentheses end a projection', '(people[*].name)[0]', 'Ada'],
  ['a literal is JSON', '`{"a": [1, "\\`"]}`', { a: [1, '`'] }],
  ['a literal without quotes is refused', '`abc`', 'jmespath-syntax'],
  ['a raw string keeps its backslashes', "'a\\nb\\'c\\\\ '", "a\\nb'c\\\\ "],
  ['a raw string may be empty', "''", ''],
  ['texts compare for equality', "name == 'payments'", true],
  ['texts have no order', "name > 'a'", null],
  ['numbers have an order', 'size >= `3`', true],
  ['objects compare deep', 'services.web == `{"up": true, "port": 80}`', true],
  ['lists compare deep', 'tags != `["a"]`', true],
  ['not binds before the dot', '!name.x', null],
  ['not binds after brackets', '!tags[9]', true],
  ['zero is true', '`0` && size', 3],
  ['an empty list is false', "empty || 'none'", 'none'],
  ['an empty object is false', '`{}` || size', 3],
  ['the current node', '@.name', 'payments'],
  ['abs', 'abs(`-2.5`)', 2.5],
  ['avg', 'avg(people[*].age)', 106 / 3],
  ['ceil and floor', '[ceil(`1.2`), floor(`-1.2`)]', [2, -2]],
  ['contains on a list', "contains(tags, 'c')", true],
  ['contains on a text', "contains(name, 'ment')", true],
  ['contains on a text with a number', 'contains(name, `1`)', false],
  ['contains compares deep', 'contains(nested, `[1, 2]`)', true],
  ['starts_with and ends_with', "[starts_with(name, 'pay'), ends_with(name, 'x')]", [true, false]],
  ['join', "join('-', tags)", 'a-b-c-d'],
  ['join refuses numbers', "join('-', `[1]`)", 'jmespath-evaluation-failed'],
  [
    'keys and values',
    '[keys(services), values(services.web)]',
    [
      ['web', 'db', 'raw'],
      [80, true],
    ],
  ],
  ['length of a text in characters', "length('añ😀')", 3],
  ['length of a list and an object', '[length(tags), length(services)]', [4, 3]],
  ['length of a number is refused', 'length(size)', 'jmespath-evaluation-failed'],
  ['map keeps nulls', 'map(&boss, people)', [true, null, null]],
  ['max and min of numbers', '[max(people[*].age), min(people[*].age)]', [41, 29]],
  ['max and min of texts', '[max(tags), min(tags)]', ['d', 'a']],
  ['max of nothing is null', 'max(empty)', null],
  ['max_by and min_by', '[max_by(people, &age).name, min_by(people, &name).name]', ['Eve', 'Ada']],
  ['max_by refuses mixed keys', 'max_by(`[{"a": 1}, {"a": "x"}]`, &a)', 'jmespath-evaluation-failed'],
  ['merge lets the last one win', 'merge(`{"a": 1, "b": 2}`, `{"b": 3}`)', { a: 1, b: 3 }],
  ['merge without arguments is refused', 'merge()', 'jmespath-evaluation-failed'],
  ['not_null', 'not_null(salary, none, size)', 3],
  ['reverse', "[reverse(tags), reverse('a😀b')]", [['d', 'c', 'b', 'a'], 'b😀a']],
  [
    'sort numbers and texts',
    '[sort(`[10, 9, 1]`), sort(`["b", "Z", "a"]`)]',
    [
      [1, 9, 10],
      ['Z', 'a', 'b'],
    ],
  ],
  ['sort_by is stable', 'sort_by(`[{"k":2,"n":1},{"k":1,"n":2},{"k":2,"n":3}]`, &k)[*].n', [2, 1, 3]],
  ['sort_by refuses a list of keys it cannot order', 'sort_by(people, &langs)', 'jmespath-evaluation-failed'],
  ['to_array', '[to_array(size), to_array(empty)]', [[3], []]],
  ['to_number', "[to_number('1.5e3'), to_number('x'), to_number(`true`)]", [1500, null, null]],
  ['to_string sorts keys and escapes', 'to_string(`{"b": "<", "a": 1e21}`)', '{"a":1e+21,"b":"\\u003c"}'],
  [
    'type',
    '[type(size), type(name), type(tags), type(services), type(none), type(`true`)]',
    ['number', 'string', 'array', 'object', 'null', 'boolean'],
  ],
  ['an unknown function fails when it is reached', 'nope(@)', 'jmespath-evaluation-failed'],
  ['an unknown function that is not reached does not fail', 'name || nope(@)', 'payments'],
  ['too many arguments are refused', 'abs(`1`, `2`)', 'jmespath-evaluation-failed'],
  ['an object projection sees a null for each value first', '`{"a": 1}`.*.type(@)', ['null', 'number']],
  ['an expression reference is no value', '&name', 'jmespath-evaluation-failed'],
])('%s', (_says, expression, want) => expect(find(expression)).toEqual(want))

test.each([
  ['', '1:1'],
  ['a.', '1:3'],
  ['a.[', '1:4'],
  ['a b', '1:3'],
  ['a\n  #', '2:3'],
  ['a[1', '1:4'],
  ['a[-]', '1:3'],
  ['a[99999999999999999999]', '1:3'],
  ['a[1:2:3:4]', '1:9'],
  ['"a"(@)', '1:1'],
  ['@(a)', '1:2'],
  ['a ==', '1:5'],
  ['a = b', '1:3'],
  ["'abc", '1:1'],
  ['`1', '1:1'],
  ['"a', '1:1'],
  ['"\\q"', '1:1'],
  ['{a: b,}', '1:7'],
  ['{}', '1:2'],
  ['{a}', '1:3'],
  ['[a b]', '1:4'],
  ['(a', '1:3'],
  ['a)', '1:2'],
  ['foo.*bar', '1:6'],
  ['a[?b', '1:5'],
])('%j is refused at %s', (source, at) => {
  expect(compileJmesPath(source)).toMatchObject({ ok: false, error: [{ code: 'jmespath-syntax', at }] })
})

test('data with hostile names is only data', () => {
  const data: unknown = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "plain": {}}')
  expect(find('__proto__.a', data)).toBe(1)
  expect(find('constructor', data)).toBe(2)
  expect(find('plain.constructor', data)).toBe('jmespath-key-unknown')
  expect(find('plain.__proto__', data)).toBe('jmespath-key-unknown')
  expect(find('merge(@, `{"b": 1}`) | keys(@)', data)).toEqual(['__proto__', 'constructor', 'plain', 'b'])
})

test('the same text is compiled once for the same functions', () => {
  expect(compileJmesPath('a.b')).toBe(compileJmesPath('a.b'))
  expect(compileJmesPath('a.b', new Map())).not.toBe(compileJmesPath('a.b'))
})

test('a program tells which functions it calls', () => {
  const path = compileJmesPath('a[?length(@) > `1`] | nope(@)')
  expect(path.ok && [...path.value.calls].sort()).toEqual(['length', 'nope'])
})
