import { describe, expect, test } from 'vitest'
import { isObject } from '../../../lib/json.ts'
import { readData } from '../../../lib/data-file.ts'
import { packedCrds, packedProjects } from '../../../kube/schema/packed-crds.ts'
import { readStructural } from '../../../kube/schema/structural.ts'
import { compileRules } from './compile-rules.ts'
import { escapeName } from './escape.ts'
import { evaluateRules } from './evaluate-rules.ts'

const rule = (text: string, more: object = {}): object => ({ rule: text, ...more })
const withRules = (rules: readonly object[], schema: object): object => ({
  ...schema,
  'x-kubernetes-validations': rules,
})
const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more })

/** The problems of compiling, else those of a value, one a line. */
function problemsOf(
  schema: object,
  value: unknown,
  old?: unknown,
  options: { readonly budget?: number } = {},
): readonly string[] {
  const compiled = compileRules(readStructural(schema))
  if (compiled.problems.length > 0) return compiled.problems.map(({ at, message }) => `${at}: ${message}`)
  return evaluateRules(compiled, value, old, options).map(({ at, message }) => `${at}: ${message}`)
}

const spec = (properties: object, ...rules: readonly string[]): object =>
  object({
    spec: withRules(
      rules.map((text) => rule(text)),
      object(properties),
    ),
  })

describe('a rule holds or is told', () => {
  const integers = { min: { type: 'integer' }, max: { type: 'integer' } }
  test.each([
    ['holds', 'self.min <= self.max', { min: 1, max: 2 }, []],
    ['fails', 'self.min <= self.max', { min: 3, max: 2 }, ['spec: Invalid value: failed rule: self.min <= self.max']],
    ['guards', '!has(self.min) || self.min > 0', {}, []],
    ['errs', 'self.min > 0', {}, ['spec: Invalid value: no such key: min evaluating rule: self.min > 0']],
  ])('%s', (_name, text, value, want) => expect(problemsOf(spec(integers, text), { spec: value })).toEqual(want))

  test('with message, reason and place', () => {
    const schema = object({
      spec: withRules(
        [
          rule('self.a < 3', { message: ' too many ', fieldPath: '.a', reason: 'FieldValueForbidden' }),
          rule('self.a < 4', { messageExpression: '"a is " + string(self.a)', message: 'not said', fieldPath: '.a' }),
          rule('self.a < 5', { messageExpression: '"\\n"', message: 'said instead' }),
        ],
        object({ a: { type: 'integer' } }),
      ),
    })
    expect(problemsOf(schema, { spec: { a: 7 } })).toEqual([
      'spec.a: Forbidden: too many',
      'spec.a: Invalid value: a is 7',
      'spec: Invalid value: said instead',
    ])
  })

  test('of a scalar with its value', () => {
    const schema = object({ name: withRules([rule('self.startsWith("a")')], { type: 'string', maxLength: 10 }) })
    expect(problemsOf(schema, { name: 'b' })).toEqual(['name: Invalid value: "b": failed rule: self.startsWith("a")'])
  })
})

describe('values are read through their schema', () => {
  test.each([
    ['number', { a: { type: 'number' } }, 'self.a / 2.0 == 0.5 && type(self.a) == double', { a: 1 }],
    [
      'date-time',
      { a: { type: 'string', format: 'date-time' } },
      "self.a > timestamp('2020-01-01T00:00:00Z') && self.a.getFullYear() == 2024",
      { a: '2024-05-01T00:00:00Z' },
    ],
    ['date', { a: { type: 'string', format: 'date' } }, 'self.a.getMonth() == 4', { a: '2024-05-01' }],
    ['duration', { a: { type: 'string', format: 'duration' } }, "self.a >= duration('1h')", { a: '90m' }],
    ['byte', { a: { type: 'string', format: 'byte' } }, "self.a == b'hi'", { a: 'aGk=' }],
    [
      'int or string',
      { a: { 'x-kubernetes-int-or-string': true } },
      'type(self.a) == int ? self.a == 5 : self.a == "5"',
      { a: 5 },
    ],
    [
      'escaped names',
      { 'a-b.c/d__e': { type: 'integer' }, namespace: { type: 'string' } },
      'self.a__dash__b__dot__c__slash__d__underscores__e == 1 && self.__namespace__ == "n"',
      { 'a-b.c/d__e': 1, namespace: 'n' },
    ],
    [
      'sets',
      { a: { type: 'array', items: { type: 'string' }, maxItems: 9, 'x-kubernetes-list-type': 'set' } },
      "self.a == ['y', 'x'] && (self.a + ['x', 'z']).size() == 3",
      { a: ['x', 'y'] },
    ],
    [
      'map lists',
      {
        a: {
          type: 'array',
          maxItems: 9,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: object({ k: { type: 'string' }, v: { type: 'number' } }),
        },
      },
      'self.a[0].v == 1.0 && self.a == self.a && (self.a + self.a).size() == 2',
      {
        a: [
          { k: 'x', v: 1 },
          { k: 'y', v: 2 },
        ],
      },
    ],
    [
      'maps',
      { a: { type: 'object', maxProperties: 9, additionalProperties: { type: 'number' } } },
      'self.a.all(k, self.a[k] > 0.5) && "__proto__" in self.a && self.a.size() == 2',
      JSON.parse('{"a": {"x": 1, "__proto__": 2}}'),
    ],
    [
      'quantities',
      { a: { type: 'string', maxLength: 20 } },
      "quantity(self.a).isLessThan(quantity('2Gi'))",
      { a: '500Mi' },
    ],
  ])('%s', (_name, properties, text, value) => expect(problemsOf(spec(properties, text), { spec: value })).toEqual([]))

  test('the root has its name, and nothing else of its metadata', () => {
    const root = withRules([rule('self.metadata.name.startsWith("x") && self.kind == "K"')], object({}))
    expect(problemsOf(root, { kind: 'K', metadata: { name: 'xy' } })).toEqual([])
    const labels = withRules([rule('has(self.metadata.labels)')], object({}))
    expect(problemsOf(labels, {})[0]).toMatch(/undefined field 'labels'/)
  })
})

describe('rules about a change', () => {
  const immutable = object({ a: withRules([rule('self == oldSelf', { message: 'fixed' })], { type: 'integer' }) })
  test.each([
    ['are skipped without an old value', { a: 1 }, undefined, []],
    ['are skipped where the field is new', { a: 1 }, {}, []],
    ['hold', { a: 1 }, { a: 1 }, []],
    ['fail', { a: 2 }, { a: 1 }, ['a: Invalid value: 2: fixed']],
  ])('%s', (_name, value, old, want) => expect(problemsOf(immutable, value, old)).toEqual(want))

  test('see an optional old value when they ask for it', () => {
    const schema = object({
      a: withRules([rule('oldSelf.hasValue() || self < 5', { optionalOldSelf: true, message: 'starts small' })], {
        type: 'integer',
      }),
    })
    expect(problemsOf(schema, { a: 7 })).toEqual(['a: Invalid value: 7: starts small'])
    expect(problemsOf(schema, { a: 7 }, { a: 1 })).toEqual([])
  })

  test('follow items of lists by key, and of maps by name', () => {
    const item = object({ k: { type: 'string' }, v: withRules([rule('self >= oldSelf')], { type: 'integer' }) })
    const schema = object({
      list: {
        type: 'array',
        maxItems: 10,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: item,
      },
      atomic: { type: 'array', maxItems: 10, items: item },
      map: { type: 'object', maxProperties: 10, additionalProperties: item },
    })
    const old = {
      list: [
        { k: 'a', v: 5 },
        { k: 'b', v: 1 },
      ],
      atomic: [{ v: 5 }],
      map: { 'x.y': { v: 5 } },
    }
    const value = {
      list: [
        { k: 'b', v: 2 },
        { k: 'a', v: 4 },
      ],
      atomic: [{ v: 1 }],
      map: { 'x.y': { v: 1 } },
    }
    expect(problemsOf(schema, value, old)).toEqual([
      'list[1].v: Invalid value: 4: failed rule: self >= oldSelf',
      'map[x.y].v: Invalid value: 1: failed rule: self >= oldSelf',
    ])
  })

  test('what did not change is warned of, not refused', () => {
    const compiled = compileRules(
      readStructural(object({ a: withRules([rule('self < 5')], { type: 'integer' }), b: { type: 'string' } })),
    )
    const warnings: string[] = []
    const problems = evaluateRules(compiled, { a: 7, b: 'new' }, { a: 7 }, { warn: ({ at }) => warnings.push(at) })
    expect([problems, warnings]).toEqual([[], ['a']])
  })
})

describe('rules that cannot be right are told when they are compiled', () => {
  const a = { a: { type: 'string' } }
  test.each([
    ['self.a >', /compilation failed: ERROR: <input>:1:9: Syntax error/],
    ['self.b == 1', /ERROR: <input>:1:5: undefined field 'b'/],
    ['self.a == 1', /found no matching overload for '_==_' applied to '\(string, int\)'/],
    ['self.a', /cel expression must evaluate to a bool/],
    ['self.a.matches("(")', /invalid matches argument/],
    ['[1, "a"].size() == 2', /expected type 'int' but found 'string'/],
  ])('%s', (text, want) => {
    const [problem] = problemsOf(spec(a, text), {})
    expect(problem).toMatch(/^openAPIV3Schema\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: Invalid value/)
    expect(problem).toMatch(want)
  })

  test('by what they may cost', () => {
    const items = { type: 'array', items: { type: 'string' } }
    const square = 'self.a.all(x, self.a.all(y, x == y))'
    expect(problemsOf(spec({ a: items }, square), {})[0]).toMatch(
      /Forbidden: estimated rule cost exceeds budget by more than 100x/,
    )
    const small = { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 10 } }
    expect(problemsOf(spec({ a: small }, square), {})).toEqual([])
  })
})

test('running out of budget ends the validation with one problem', () => {
  const schema = spec(
    { a: { type: 'array', maxItems: 100, items: { type: 'integer' } } },
    'self.a.all(x, x > 0)',
    'self.a.size() > 0',
  )
  const problems = problemsOf(schema, { spec: { a: Array.from({ length: 100 }, () => 1) } }, undefined, { budget: 50 })
  expect(problems).toEqual([expect.stringMatching(/^spec: Invalid value: .*running out of cost budget/)])
})

test.each([
  ['a', 'a'],
  ['a__b', 'a__underscores__b'],
  ['if', '__if__'],
  ['1a', undefined],
  ['a b', undefined],
  ['', undefined],
])('the name %j is selected as %j', (name, want) => expect(escapeName(name)).toBe(want))

/** The schemas of a definition, by version. */
function schemasOf(definition: unknown): readonly unknown[] {
  const spec = isObject(definition) ? definition['spec'] : undefined
  const versions = isObject(spec) && Array.isArray(spec['versions']) ? (spec['versions'] as readonly unknown[]) : []
  return versions.flatMap((version) => {
    const schema = isObject(version) ? version['schema'] : undefined
    return isObject(schema) ? [schema['openAPIV3Schema']] : []
  })
}

test.each(packedProjects)('every rule of %s compiles and fits its budget', (project) => {
  const schemas = packedCrds(readData, project).flatMap(schemasOf)
  expect(schemas.length).toBeGreaterThan(0)
  expect(schemas.flatMap((schema) => compileRules(readStructural(schema)).problems)).toEqual([])
})
