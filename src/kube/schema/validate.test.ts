import { expect, test } from 'vitest'
import { readStructural } from './structural.ts'
import { validate, validateUpdate } from './validate.ts'

const text = (problems: ReturnType<typeof validate>): readonly string[] =>
  problems.map(({ at, message }) => `${at}: ${message}`)

interface Case {
  readonly name: string
  readonly schema: unknown
  readonly value: unknown
  readonly want: readonly string[]
}

test.each<Case>([
  {
    name: 'a missing field',
    schema: { type: 'object', required: ['spec'], properties: { spec: { type: 'object' } } },
    value: {},
    want: ['spec: Required value'],
  },
  {
    name: 'another JSON type',
    schema: { type: 'object', properties: { replicas: { type: 'integer' } } },
    value: { replicas: 'three' },
    want: ['replicas: Invalid value: "string": replicas in body must be of type integer: "string"'],
  },
  {
    name: 'a fraction where an integer is due',
    schema: { type: 'object', properties: { replicas: { type: 'integer' } } },
    value: { replicas: 1.5 },
    want: ['replicas: Invalid value: "number": replicas in body must be of type integer: "number"'],
  },
  {
    name: 'null where it is not allowed, and nothing where it is',
    schema: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string', nullable: true } } },
    value: { a: null, b: null },
    want: ['a: Invalid value: "null": a in body must be of type string: "null"'],
  },
  {
    name: 'a value outside an enumeration',
    schema: { type: 'object', properties: { policy: { type: 'string', enum: ['Retain', 'Delete'] } } },
    value: { policy: 'Keep' },
    want: ['policy: Unsupported value: "Keep": supported values: "Retain", "Delete"'],
  },
  {
    name: 'bounds of numbers',
    schema: {
      type: 'array',
      items: { type: 'number', minimum: 1, maximum: 10, exclusiveMaximum: true, multipleOf: 0.5 },
    },
    value: [0, 10, 1.25, 9.5],
    want: [
      '[0]: Invalid value: 0: [0] in body should be greater than or equal to 1',
      '[1]: Invalid value: 10: [1] in body should be less than 10',
      '[2]: Invalid value: 1.25: [2] in body should be a multiple of 0.5',
    ],
  },
  {
    name: 'texts, counted in characters and matched anywhere',
    schema: { type: 'array', items: { type: 'string', minLength: 2, maxLength: 3, pattern: 'b' } },
    value: ['😀b', 'b', 'abcd', 'xyz'],
    want: [
      '[1]: Invalid value: "b": [1] in body should be at least 2 chars long',
      '[2]: Too long: may not be more than 3 bytes',
      '[3]: Invalid value: "xyz": [3] in body should match \'b\'',
    ],
  },
  {
    name: 'sizes of lists and objects',
    schema: {
      type: 'object',
      properties: {
        few: { type: 'array', minItems: 2, items: { type: 'string' } },
        many: { type: 'array', maxItems: 1, items: { type: 'string' } },
        map: { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
        empty: { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } },
      },
    },
    value: { few: ['a'], many: ['a', 'b'], map: { a: '', b: '' }, empty: {} },
    want: [
      'few: Invalid value: 1: few in body should have at least 2 items',
      'many: Too many: 2: must have at most 1 item',
      'map: Too many: 2: must have at most 1 item',
      'empty: Invalid value: 0: empty in body should have at least 1 properties',
    ],
  },
  {
    name: 'an int-or-string',
    schema: { type: 'array', items: { 'x-kubernetes-int-or-string': true } },
    value: [1, '25%', true],
    want: ['[2]: Invalid value: "boolean": [2] in body must be of type integer,string: "boolean"'],
  },
  {
    name: 'formats, and not those that are unknown',
    schema: {
      type: 'object',
      properties: { at: { type: 'string', format: 'date-time' }, odd: { type: 'string', format: 'no-such' } },
    },
    value: { at: '2024-02-30T00:00:00Z', odd: '?' },
    want: ['at: Invalid value: "2024-02-30T00:00:00Z": at in body must be of type date-time: "2024-02-30T00:00:00Z"'],
  },
  {
    name: 'a repeated item of a set, once',
    schema: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    value: ['a', 'b', 'a', 'a'],
    want: ['[2]: Duplicate value: "a"'],
  },
  {
    name: 'a repeated key of a list that is a map',
    schema: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: { type: 'object', properties: { port: { type: 'integer' }, protocol: { type: 'string' } } },
    },
    value: [{ port: 1, protocol: 'TCP' }, { port: 1 }, { protocol: 'TCP', port: 1 }],
    want: ['[2]: Duplicate value: {"port":1,"protocol":"TCP"}'],
  },
  {
    name: 'exactly one of several',
    schema: {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    value: { a: '', b: '' },
    want: [': Invalid value: "": "" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  },
  {
    name: 'at least one of several, with the closest miss',
    schema: {
      type: 'object',
      properties: { spec: { type: 'object', anyOf: [{ required: ['a', 'b'] }, { required: ['c'] }] } },
    },
    value: { spec: {} },
    want: ['spec: Invalid value: "": "spec" must validate at least one schema (anyOf)', 'spec.c: Required value'],
  },
  {
    name: 'what must not be',
    schema: { type: 'object', properties: { a: { type: 'string' } }, not: { required: ['a'] } },
    value: { a: '' },
    want: [': Invalid value: "": "" must not validate the schema (not)'],
  },
  {
    name: 'a resource inside another',
    schema: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    value: { apiVersion: 'a/b/c', metadata: [] },
    want: [
      'apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'kind: Required value',
      'metadata: Invalid value: []: must be an object',
    ],
  },
  {
    name: 'names of the prototype are names',
    schema: {
      type: 'object',
      required: ['constructor'],
      properties: { constructor: { type: 'integer' } },
    },
    value: JSON.parse('{"toString": 1}'),
    want: ['constructor: Required value'],
  },
])('$name', ({ schema, value, want }) => {
  expect(text(validate(value, readStructural(schema)))).toEqual(want)
})

test('a property that is called __proto__ is checked', () => {
  const schema = readStructural(JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'))
  expect(text(validate(JSON.parse('{"__proto__": 1}'), schema))).toEqual([
    '__proto__: Invalid value: "integer": __proto__ in body must be of type string: "integer"',
  ])
})

test('a value that is nested without end is refused, not followed', () => {
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
  const schema = readStructural({ type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'array' } })
  expect(text(validate(deep, schema))).toEqual([': Invalid value: "": nested deeper than 500 levels'])
})

test('a pattern that would hang a backtracking engine answers at once', () => {
  const schema = readStructural({ type: 'string', pattern: '^(a+)+$' })
  expect(validate(`${'a'.repeat(50_000)}!`, schema)).toHaveLength(1)
})

test('a flood of problems is cut', () => {
  const schema = readStructural({ type: 'array', items: { type: 'string' } })
  expect(
    validate(
      Array.from({ length: 100_000 }, () => 1),
      schema,
    ).length,
  ).toBe(100)
})

test('an update is judged where it changes something', () => {
  const schema = readStructural({
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 2 },
      size: { type: 'integer', minimum: 1 },
      spec: { type: 'object', required: ['x'], properties: { y: { type: 'string' } } },
      list: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 1 } } },
      },
      plain: { type: 'array', items: { type: 'integer', maximum: 1 } },
    },
  })
  const old = {
    name: 'long',
    size: 0,
    spec: {},
    list: [
      { k: 'a', v: 9 },
      { k: 'b', v: 9 },
    ],
    plain: [9],
  }
  const next = {
    name: 'long',
    size: -1,
    spec: { y: '' },
    list: [
      { k: 'b', v: 9 },
      { k: 'a', v: 8 },
    ],
    plain: [9, 0],
  }
  expect(validateUpdate(old, old, schema)).toEqual([])
  expect(text(validateUpdate(next, old, schema))).toEqual([
    'size: Invalid value: -1: size in body should be greater than or equal to 1',
    'spec.x: Required value',
    'list[1].v: Invalid value: 8: list[1].v in body should be less than or equal to 1',
    'plain[0]: Invalid value: 9: plain[0] in body should be less than or equal to 1',
  ])
})
