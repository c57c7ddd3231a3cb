import { describe, expect, test } from 'vitest'
import { compile } from './cel.ts'
import type { Program } from './program.ts'
import { answer, everything } from './testkit.ts'

describe('numbers keep their types apart', () => {
  test.each([
    ['1 + 2', 3],
    ['1.0 + 2.0', 3],
    ['type(1) == int && type(1.0) == double && type(1u) == uint', true],
    ['dyn(1) == 1.0 && dyn(1.0) == 1u && dyn(1u) == 1', true],
    ['[1, 1.0, 1u].all(n, n == 1)', true],
    ['9223372036854775807 == 9223372036854775807', true],
    ['9223372036854775806 + 1', '9223372036854775807'],
    ['9007199254740991 + 1', '9007199254740992'],
    ['9007199254740993 - 2', 9007199254740991],
    ['-7 / 2', -3],
    ['-7 % 2', -1],
    ['string(0 * -5)', '0'],
    ['double(0 * -5)', 0],
    ['{1: "a"}[dyn(1u)] + {2u: "b"}[dyn(2)]', 'ab'],
  ])('%s', (source, want) => expect(answer(source)).toEqual(want))
})

describe('arithmetic outside 64 bits is an error', () => {
  test.each([
    '9223372036854775807 + 1',
    '-9223372036854775807 - 2',
    '9223372036854775807 * 2',
    '-(-9223372036854775807 - 1)',
    '(-9223372036854775807 - 1) / -1',
    '18446744073709551615u + 1u',
    '0u - 1u',
    '1 / 0',
    '1 % 0',
    'int(9.3e18)',
    'uint(-1)',
  ])('%s', (source) => expect(answer(source)).toMatch(/^cel-evaluation-failed: .*(overflow|zero)/))
})

describe('errors are absorbed by what decides', () => {
  test.each([
    ['true || 1 / 0 > 0', true],
    ['1 / 0 > 0 || true', true],
    ['false && 1 / 0 > 0', false],
    ['1 / 0 > 0 && false', false],
    ['[1, 0].exists(n, 1 / n == 1)', true],
    ['[0, 1].exists(n, 1 / n == 1)', true],
    ['[0, 2].all(n, 1 / n == 1)', false],
    ['true ? 1 : 1 / 0', 1],
    ['cel.bind(x, 1 / 0, true || x > 0)', true],
  ])('%s', (source, want) => expect(answer(source)).toEqual(want))

  test.each(['1 / 0 > 0 || false', '[0, 1].all(n, 1 / n == 1)', '[0, 2].exists(n, 1 / n == 1)'])(
    'but not by what does not: %s',
    (source) => expect(answer(source)).toBe('cel-evaluation-failed: division by zero'),
  )
})

describe('JSON is read as Kubernetes reads it', () => {
  const object = JSON.parse(
    '{"replicas": 3, "ratio": 1.5, "big": 1e300, "__proto__": {"a": 1}, "constructor": "c", "items": [1, 2.5]}',
  )
  test.each([
    ['object.replicas + 1', 4],
    ['type(object.ratio) == double', true],
    ['type(object.big) == double', true],
    ['object.__proto__.a', 1],
    ['object.constructor', 'c'],
    ['has(object.toString)', false],
    ['has({}.__proto__)', false],
    ['object.items.map(i, type(i) == int)', [true, false]],
    ['object.items[1] > 2', true],
    ['"replicas" in object', true],
    ['object.?nothing.orValue("none")', 'none'],
    ['object == object', true],
  ])('%s', (source, want) => expect(answer(source, { object })).toEqual(want))

  test('a key that is not there is an error with its place', () => {
    expect(answer('object.missing', { object })).toBe('cel-evaluation-failed: no such key: missing')
  })
})

describe('strings are counted and ordered by code points', () => {
  test.each([
    ["'a😀b'.size()", 3],
    ["'a😀b'.indexOf('b')", 2],
    ["'a😀b'.substring(1, 2)", '😀'],
    ["'😀' > '\uffee'", true],
    ["'abc'.reverse()", 'cba'],
    ["'%s has %d of %.2f'.format(['x', 3, 1.0])", 'x has 3 of 1.00'],
  ])('%s', (source, want) => expect(answer(source)).toEqual(want))
})

describe('time has zones', () => {
  test.each([
    ["timestamp('2024-03-01T00:30:00Z').getHours('America/New_York')", 19],
    ["timestamp('2024-03-01T00:30:00Z').getDate('America/New_York')", 29],
    ["timestamp('2024-07-01T00:30:00Z').getHours('-02:30')", 22],
    ["timestamp('2024-03-01T00:30:00Z') + duration('90m')", '2024-03-01T02:00:00Z'],
    ["string(timestamp('2024-03-01T02:00:00.5Z') - timestamp('2024-03-01T00:00:00Z'))", '7200.5s'],
    [
      "timestamp('2024-03-01T00:30:00Z').getHours('Nowhere/None')",
      'cel-evaluation-failed: unknown time zone Nowhere/None',
    ],
  ])('%s', (source, want) => expect(answer(source)).toEqual(want))
})

describe('every expression ends within its budget', () => {
  test('nested loops', () => {
    const list = `[${Array.from({ length: 100 }, (_, index) => index).join(',')}]`
    const bomb = ['a', 'b', 'c', 'd'].reduceRight((body, name) => `${list}.all(${name}, ${body})`, 'true')
    expect(answer(bomb)).toBe('cel-budget-exceeded: operation cancelled: actual cost limit exceeded')
  })
  test('a used-up budget is not absorbed', () => {
    expect(answer('true || lists.range(1000).map(x, x).size() > 0', {}, { cost: 100 })).toBe(true)
    expect(answer('lists.range(1000).map(x, x).size() > 0 || true', {}, { cost: 100 })).toMatch(/^cel-budget-exceeded/)
  })
  test('doubling a string', () => {
    const doubled = Array.from({ length: 40 }).reduce<string>((body) => `cel.bind(s, s + s, ${body})`, 's.size()')
    expect(answer(`cel.bind(s, 'xxxxxxxxxx', ${doubled})`)).toMatch(/^cel-(budget-exceeded|evaluation-failed)/)
  })
  test('steps', () => {
    expect(answer('[1, 2, 3].all(x, true)', {}, { steps: 2 })).toMatch(/step limit/)
  })
})

describe('a program can be a variable of others', () => {
  const environment = everything(['object', 'variables.first', 'variables.broken'])
  const program = (source: string): Program => {
    const compiled = compile(environment, source)
    if (!compiled.ok) throw new Error(compiled.error[0]?.message)
    return compiled.value
  }
  const bindings = new Map<string, unknown>([['object', { items: [1, 2] }]])
  bindings.set('variables.first', program('object.items[0]').asVariable(bindings))
  bindings.set('variables.broken', program('object.items[9]').asVariable(bindings))
  test.each([
    ['variables.first + variables.first', { ok: true, value: { value: 2 } }],
    ['variables.first == 1 || variables.broken == 1', { ok: true, value: { value: true } }],
    ['variables.broken == 1', { ok: false, error: [{ message: 'index out of bounds: 9' }] }],
  ])('%s', (source, want) => expect(program(source).evaluate(bindings)).toMatchObject(want))
})
