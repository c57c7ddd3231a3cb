import { expect, test } from 'vitest'
import { deepFreeze } from '../../lib/json.ts'
import { applyDefaults } from './default.ts'
import { readStructural } from './structural.ts'

const inner = { type: 'object', properties: { port: { type: 'integer', default: 80 }, name: { type: 'string' } } }

interface Case {
  readonly name: string
  readonly schema: unknown
  readonly value: unknown
  readonly want: unknown
}

test.each<Case>([
  {
    name: 'fills in what is absent, inside objects that are there',
    schema: { type: 'object', properties: { spec: inner, other: inner } },
    value: { spec: {} },
    want: { spec: { port: 80 } },
  },
  {
    name: 'fills in the defaults inside a default',
    schema: { type: 'object', properties: { spec: { ...inner, default: { name: 'x' } } } },
    value: {},
    want: { spec: { name: 'x', port: 80 } },
  },
  {
    name: 'goes into lists and maps',
    schema: {
      type: 'object',
      properties: { list: { type: 'array', items: inner }, map: { type: 'object', additionalProperties: inner } },
    },
    value: { list: [{}, { port: 1 }], map: { a: {} } },
    want: { list: [{ port: 80 }, { port: 1 }], map: { a: { port: 80 } } },
  },
  {
    name: 'drops a null that may not be, replaces one that has a default, keeps one that may be',
    schema: {
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: 'string', default: 'x' },
        c: { type: 'string', nullable: true, default: 'y' },
      },
    },
    value: { a: null, b: null, c: null, d: null },
    want: { b: 'x', c: null, d: null },
  },
])('$name', ({ schema, value, want }) => {
  expect(applyDefaults(deepFreeze(value), readStructural(schema))).toEqual(want)
})

test('what needs no change comes back as it is', () => {
  const value = deepFreeze({ spec: { port: 1, name: 'n' } })
  expect(applyDefaults(value, readStructural({ type: 'object', properties: { spec: inner } }))).toBe(value)
})

test('a default of a property called __proto__ becomes data', () => {
  const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string","default":"x"}}}') as unknown
  expect(JSON.stringify(applyDefaults({}, readStructural(schema)))).toBe('{"__proto__":"x"}')
})
