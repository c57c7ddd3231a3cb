import { Ajv } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { builtinSchemas } from './builtin.ts'
import { decodeBuiltin } from './decode.ts'
import { applyDefaults } from './default.ts'
import { prune } from './prune.ts'
import { readStructural } from './structural.ts'
import { validate } from './validate.ts'

const names = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor')
/** Ajv passes over a property that is called __proto__, so the schemas here have none. */
const propertyNames = fc.constantFrom('a', 'b', 'c', 'toString', 'constructor')
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom('', 'x', 'abc'),
  fc.boolean(),
  fc.constant(null),
)

/** Values that are likely to fit the schemas below. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(names, tie('value')), { maxLength: 4 })
      .map(
        (entries) =>
          JSON.parse(
            `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
          ) as unknown,
      ),
  ),
})).value

const properties = (node: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .array(fc.tuple(propertyNames, node), { maxLength: 3 })
    .map(
      (entries) =>
        JSON.parse(
          `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
        ) as unknown,
    )

/** Structural schemas of which JSON Schema says the same. */
const schemas = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constant('string'), minLength: fc.nat(2), nullable: fc.boolean() }),
    fc.record({ type: fc.constant('string'), enum: fc.constant(['x', 'abc']) }),
    fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ type: fc.constant('boolean') }),
    fc.record({ type: fc.constant('array'), items: tie('node'), maxItems: fc.nat(3) }),
    fc.record({ type: fc.constant('object'), properties: properties(tie('node')), required: fc.subarray(['a', 'b']) }),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('node') }),
    fc.record({
      type: fc.constant('object'),
      properties: properties(tie('node')),
      anyOf: fc.constant([{ required: ['a'] }, { required: ['b'] }]),
    }),
  ),
})).node

test('validation agrees with a JSON Schema validator on everything that both know', () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const ajv = new Ajv({ strict: false, validateFormats: false, ownProperties: true })
      expect(validate(value, readStructural(schema)).length === 0).toBe(ajv.validate(schema as object, value))
    }),
    { numRuns: 500 },
  )
})

test('pruning and defaulting twice is the same as once, and what is pruned is unknown no more', () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const parsed = readStructural(schema)
      const once = prune(value, parsed)
      const twice = prune(once.value, parsed)
      expect(twice.value).toBe(once.value)
      expect(twice.unknown).toEqual([])
      const filled = applyDefaults(value, parsed)
      expect(applyDefaults(filled, parsed)).toBe(filled)
    }),
  )
})

const withDefaults = {
  type: 'object',
  properties: {
    a: { type: 'string', default: 'x' },
    b: { type: 'object', default: {}, properties: { c: { type: 'integer', default: 1, minimum: 1 } } },
  },
}

test('what defaulting adds is valid', () => {
  fc.assert(
    fc.property(values, (value) => {
      const parsed = readStructural(withDefaults)
      const added = applyDefaults(value, parsed)
      const before = new Set(validate(value, parsed).map(({ at }) => at))
      for (const problem of validate(added, parsed)) expect(before).toContain(problem.at)
    }),
  )
})

const builtin = builtinSchemas(readData)
const kinds = builtin.kinds()

test('decoding never throws, and decoding again changes nothing', () => {
  const json = fc.jsonValue()
  const fields = fc.constantFrom('metadata', 'spec', 'data', 'status', 'items', 'rules', '__proto__')
  const objects = fc.dictionary(fields, json)
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.oneof(json, objects), (kind, value) => {
      const schema = builtin.schemaOf(kind)
      if (!schema) return
      const decoded = decodeBuiltin(value, schema)
      if (!decoded.ok) return
      const again = decodeBuiltin(decoded.value.value, schema)
      expect(again.ok && again.value.value).toBe(decoded.value.value)
      validate(value, schema)
      prune(value, schema)
      applyDefaults(value, schema)
    }),
    { numRuns: 300 },
  )
})
