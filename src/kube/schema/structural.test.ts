import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { packedCrds, packedProjects } from './packed-crds.ts'
import { parseStructural } from './structural.ts'

const problems = (schema: unknown): readonly string[] =>
  parseStructural(schema, 'S').problems.map(({ at, message }) => `${at}: ${message}`)
const field = (node: unknown): unknown => ({ type: 'object', properties: { f: node } })

test.each(packedProjects)('the definitions of %s are structural', (project) => {
  for (const crd of packedCrds(readData, project)) {
    const { versions } = crd['spec'] as {
      readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: unknown } }[]
    }
    for (const { schema } of versions) expect(problems(schema.openAPIV3Schema), crd.metadata.name).toEqual([])
  }
})

test.each<[string, unknown, readonly unknown[]]>([
  ['the root has no type', {}, ['S.type: Required value: must not be empty at the root']],
  ['the root is no object', { type: 'string' }, ['S.type: Invalid value: "string": must be object at the root']],
  [
    'a field has no type',
    field({}),
    ['S.properties[f].type: Required value: must not be empty for specified object fields'],
  ],
  [
    'items have no type',
    field({ type: 'array', items: {} }),
    ['S.properties[f].items.type: Required value: must not be empty for specified array items'],
  ],
  ['a list has no items', field({ type: 'array' }), ['S.properties[f].items: Required value: must be specified']],
  [
    'a type is unknown',
    field({ type: 'date' }),
    [
      'S.properties[f].type: Unsupported value: "date": supported values: "array", "boolean", "integer", "number", "object", "string"',
      'S.properties[f].type: Required value: must not be empty for specified object fields',
    ],
  ],
  ['a reference', field({ type: 'object', $ref: '#/x' }), ['S.properties[f].$ref: Forbidden: $ref is not supported']],
  [
    'properties beside additionalProperties',
    field({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } }),
    ['S.properties[f].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive'],
  ],
  [
    'uniqueItems',
    field({ type: 'array', items: { type: 'string' }, uniqueItems: true }),
    [
      'S.properties[f].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    ],
  ],
  [
    'preserve is false',
    field({ type: 'object', 'x-kubernetes-preserve-unknown-fields': false }),
    ['S.properties[f].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined'],
  ],
  [
    'a type under a junction',
    { ...(field({ type: 'string' }) as object), anyOf: [{ type: 'object', required: ['f'] }] },
    ['S.anyOf[0].type: Forbidden: must be empty to be structural'],
  ],
  [
    'both spellings of int-or-string are accepted',
    field({
      'x-kubernetes-int-or-string': true,
      allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { pattern: 'a' }],
    }),
    [],
  ],
  [
    'a junction about a field that does not exist',
    { ...(field({ type: 'string' }) as object), oneOf: [{ properties: { g: { minLength: 1 } } }] },
    ['S.properties[g]: Required value: because it is defined in S.oneOf[0].properties[g]'],
  ],
  [
    'map keys that may be absent',
    field({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' } } },
    }),
    [
      'S.properties[f].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
    ],
  ],
  [
    'a map without keys',
    field({ type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } }),
    ['S.properties[f].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map'],
  ],
  [
    'a set of granular objects',
    field({ type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object', properties: {} } }),
    [
      'S.properties[f].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
    ],
  ],
  [
    'metadata that says more than names',
    { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
    [
      'S.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
  ],
  [
    'a default that its schema refuses',
    field({ type: 'integer', minimum: 1, default: 0 }),
    ['S.properties[f].default: Invalid value: 0:  in body should be greater than or equal to 1'],
  ],
  [
    'a default with unknown fields',
    field({ type: 'object', properties: { a: { type: 'string' } }, default: { b: 1 } }),
    ['S.properties[f].default: Invalid value: {"b":1}: must be pruned'],
  ],
  [
    'a default of metadata',
    { type: 'object', properties: { metadata: { type: 'object', default: {} } } },
    ['S.properties[metadata].default: Forbidden: must not be set in top-level metadata'],
  ],
  [
    'a pattern that is no RE2',
    field({ type: 'string', pattern: '(?=a)' }),
    [
      expect.stringContaining(
        'S.properties[f].pattern: Invalid value: "(?=a)": must be a valid regular expression, but isn\'t',
      ) as string,
    ],
  ],
  [
    'a rule without an expression',
    field({ type: 'string', 'x-kubernetes-validations': [{ rule: ' ', reason: 'Because' }] }),
    [
      'S.properties[f].x-kubernetes-validations[0].rule: Required value: rule is not specified',
      expect.stringContaining('x-kubernetes-validations[0].reason: Unsupported value: "Because"') as string,
    ],
  ],
])('%s', (_name, schema, want) => {
  expect(problems(schema)).toEqual(want)
})

test('what a schema says is read', () => {
  const { schema } = parseStructural({
    type: 'object',
    properties: {
      rules: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        'x-kubernetes-validations': [{ rule: 'true', message: 'no', optionalOldSelf: true }],
      },
    },
  })
  expect(schema.properties?.get('rules')).toMatchObject({
    mapType: 'atomic',
    validations: [{ rule: 'true', message: 'no', optionalOldSelf: true }],
  })
})

test('a schema nested without end, and one that is far too large, are refused with the reason', () => {
  let deep: unknown = { type: 'object' }
  for (let level = 0; level < 50_000; level++) deep = { type: 'object', properties: { a: deep } }
  expect(problems(deep)).toEqual(['S: Invalid value: "": nested deeper than 500 levels'])
  const wide = Object.fromEntries(Array.from({ length: 200_001 }, (_, index) => [`p${index}`, { type: 'string' }]))
  expect(problems({ type: 'object', properties: wide })).toEqual(['S: Forbidden: has more than 200000 nodes'])
})
