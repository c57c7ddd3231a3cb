import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileExpr, type Environment } from './exprlang.ts'
import { time } from './time.ts'
import { ExprFunction, ExprObject } from './value.ts'

const env: Environment = {
  a: 1,
  f: 2.5,
  s: 'hello',
  list: [3, 1, 2],
  people: [
    { name: 'ann', age: 30, tags: ['x'] },
    { name: 'bob', age: 20, tags: [] },
  ],
  app: { status: { operationState: { phase: 'Succeeded' } }, 'with-dash': 1 },
  none: null,
  double: new ExprFunction((value) => Number(value) * 2),
  time: { Now: new ExprFunction(() => time(Date.UTC(2026, 0, 1))) },
}

const run = (source: string, environment: Environment = env): unknown => {
  const compiled = compileExpr(source)
  if (!compiled.ok) return compiled.error[0]?.code
  const result = compiled.value.run(environment, { nowMs: Date.UTC(2026, 0, 1) })
  if (!result.ok) return result.error[0]?.message
  return result.value instanceof ExprObject ? result.value.text : result.value
}

describe('what expressions mean', () => {
  test.each<[string, unknown]>([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['7 / 2', 3.5],
    ['7 % 4', 3],
    ['2 ** 3 ** 2', 512],
    ['-2 ^ 2', -4],
    ['0x1F + 0b11 + 0o7 + 1_000', 1041],
    ['1e3 + .5', 1000.5],
    ['"a" + \'b\' + `c`', 'abc'],
    [String.raw`"\u00e9\n\x41"`, 'é\nA'],
    ['a == 1 and f > 2 or false', true],
    ['not (a == 1)', false],
    ['not false == true', true],
    ['!false && true', true],
    ['a in [1, 2]', true],
    ['a not in [1, 2]', false],
    ['"phase" in app.status.operationState', true],
    ['"toString" in app', false],
    ['s contains "ell" && s startsWith "he" && s endsWith "lo"', true],
    ['s matches "^h.*o$"', true],
    ['s not contains "x"', true],
    ['none contains "x"', false],
    ['1..3', [1, 2, 3]],
    ['list[0] + list[-1]', 5],
    ['list[1:]', [1, 2]],
    ['list[:-1]', [3, 1]],
    ['s[1:3]', 'el'],
    ['app.status.operationState.phase', 'Succeeded'],
    ['app["with-dash"]', 1],
    ['app.metadata?.name', null],
    ['app.metadata?.labels.team ?? "nobody"', 'nobody'],
    ['app?.status?.operationState?.phase', 'Succeeded'],
    ['missing', null],
    ['missing ?? 5', 5],
    ['a > 0 ? "yes" : "no"', 'yes'],
    ['a > 5 ? 1 : a > 0 ? 2 : 3', 2],
    ['if a > 5 { "big" } else if a > 0 { "small" } else { "none" }', 'small'],
    ['let x = 2; let y = x * 3; x + y', 8],
    ['1; 2; 3', 3],
    ['{a: 1, "b c": 2, (s): 3}', { a: 1, 'b c': 2, hello: 3 }],
    ['[1, 2, ]', [1, 2]],
    ['filter(list, # > 1)', [3, 2]],
    ['filter(list, {# > 1})', [3, 2]],
    ['map(people, .name)', ['ann', 'bob']],
    ['people | filter(.age > 25) | map(.name) | first()', 'ann'],
    ['all(list, # > 0)', true],
    ['any(people, .name == "bob")', true],
    ['none(list, # > 5)', true],
    ['one(list, # == 2)', true],
    ['count(list, # > 1)', 2],
    ['sum(list)', 6],
    ['sum(people, .age)', 50],
    ['find(people, .age < 25).name', 'bob'],
    ['findIndex(list, # == 2)', 2],
    ['groupBy(people, .age > 25 ? "old" : "young")["old"][0].name', 'ann'],
    ['sortBy(people, .age) | map(.name)', ['bob', 'ann']],
    ['sortBy(people, .age, "desc") | map(.name)', ['ann', 'bob']],
    ['reduce(list, #acc + #, 10)', 16],
    ['reduce(list, #acc + #index, 0)', 3],
    ['filter(people, len(filter(.tags, # == "x")) > 0) | len()', 1],
    ['len(s) + len(list) + len(app)', 10],
    ['upper(s) | lower() | trimPrefix("he")', 'llo'],
    ['split("a,b,c", ",", 2)', ['a', 'b,c']],
    ['replace("aaa", "a", "b", 2)', 'bba'],
    ['join(["a", "b"], "-")', 'a-b'],
    ['max(1, list)', 3],
    ['min([4, 2])', 2],
    ['mean([1, 2, 3])', 2],
    ['round(2.5) + round(-2.5)', 0],
    ['int("12") + float("1.5")', 13.5],
    ['string(list)', '[3 1 2]'],
    ['keys({b: 1, a: 2})', ['a', 'b']],
    ['toPairs({b: 1})', [['b', 1]]],
    ['fromPairs([["x", 1]])', { x: 1 }],
    ['sort(list)', [1, 2, 3]],
    ['reverse(list)', [2, 1, 3]],
    ['uniq([1, 1, [2], [2]])', [1, [2]]],
    ['flatten([1, [2, [3]]])', [1, 2, 3]],
    ['concat([1], [2])', [1, 2]],
    ['take(list, 2)', [3, 1]],
    ['get(app, "none")', null],
    ['type(1) + type("") + type(nil) + type([]) + type({})', 'intstringnilarraymap'],
    ['fromJSON("{\\"x\\": [1]}").x[0]', 1],
    ['toJSON({b: 1, a: 2})', '{\n  "a": 2,\n  "b": 1\n}'],
    ['toBase64("hi") | fromBase64()', 'hi'],
    ['double(a) + (a | double)', 4],
    ['time.Now().Year()', 2026],
    ['now() - date("2025-12-31")', '24h0m0s'],
    ['(now() - date("2025-12-31")).Hours() >= 24', true],
    ['date("2025-12-31") + duration("36h") > now()', true],
    ['now().Format("2006-01-02")', '2026-01-01'],
    ['date("2026-01-01 12:00:00", "2006-01-02 15:04:05", "Europe/Berlin").Unix() == now().Unix() + 11 * 3600', true],
    ['bitand(6, 3) + bitshl(1, 4)', 18],
    ['1 /* note */ + 2 // end', 3],
    ['$env.a', 1],
    ['let and2 = 1; and2', 1],
  ])('%s is %j', (source, want) => expect(run(source)).toEqual(want))
})

describe('what is refused', () => {
  test.each<[string, string | RegExp]>([
    ['1 +', 'exprlang-syntax'],
    ['(1', 'exprlang-syntax'],
    ['"abc', 'exprlang-syntax'],
    ['a b', 'exprlang-syntax'],
    ['@', 'exprlang-syntax'],
    ['a.b.c', /cannot fetch b from int/],
    ['missing.x', /cannot fetch x from <nil> at position/],
    ['1 + "a"', /invalid operation: int \+ string/],
    ['1 < "a"', /invalid operation: int < string/],
    ['a and true', /invalid operation: and \(got int\)/],
    ['list[9]', /index out of range: 9/],
    ['s()', /string is not callable/],
    ['#', 'exprlang-syntax'],
    ['filter(list, 1)', /should return boolean/],
    ['s matches "("', /cannot compile/],
    ['1..100000000', /makes more than it may/],
    ['repeat("x", 100000000)', /makes more than it may/],
    ['map(1..3000, map(1..3000, #))', /than it may/],
  ])('%s', (source, want) => expect(String(run(source))).toMatch(want))

  test.each([
    ['parentheses', '('.repeat(100_000)],
    ['negations', '!'.repeat(99_000)],
    ['a sum', `1${' + 1'.repeat(20_000)}`],
    ['lists', `${'['.repeat(40_000)}${']'.repeat(40_000)}`],
  ])('deep nesting of %s is an answer, not a crash', (_, source) => {
    const compiled = compileExpr(source)
    const result = compiled.ok ? compiled.value.run({}) : compiled
    expect(['exprlang-syntax', 'exprlang-budget-exceeded', undefined]).toContain(
      result.ok ? undefined : result.error[0]?.code,
    )
  })

  test('any text is either a program or a syntax error', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', '1', '.', '(', ')', '[', ']', '{', '}', '#', '+', '?', ':', '"', ' ', '|', ','),
        }),
        (source) => {
          const compiled = compileExpr(source)
          expect(compiled.ok || compiled.error[0]?.code === 'exprlang-syntax').toBe(true)
        },
      ),
    )
  })

  test('names of prototypes are data', () => {
    expect(run('__proto__', {})).toBeNull()
    expect(run('constructor', {})).toBeNull()
    expect(run('x["__proto__"]', { x: JSON.parse('{"__proto__": 7}') })).toBe(7)
    expect(run('keys(fromPairs([["__proto__", 1]]))', {})).toEqual(['__proto__'])
  })
})
