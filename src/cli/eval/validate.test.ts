import { expect, test } from 'vitest'
import { evaluate } from './validate.ts'

const valueOf = (request: object): unknown => {
  const result = evaluate(request as Record<string, unknown>)
  return result.ok ? result.value : { error: result.error[0] }
}

test('a built-in object is decoded, defaulted and checked', () => {
  const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 0 }], foo: 1 } }
  expect(valueOf({ object })).toMatchObject({
    valid: false,
    problems: [
      {
        field: 'spec.ports[0].port',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: 0: must be between 1 and 65535, inclusive',
      },
    ],
    unknown: ['spec.foo'],
    object: { spec: { type: 'ClusterIP' } },
  })
})

test('a value of the wrong type cannot be decoded', () => {
  const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: 'x' } }
  expect(valueOf({ object })).toMatchObject({
    error: {
      code: 'object-undecodable',
      message: expect.stringContaining(
        'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string',
      ) as unknown,
    },
  })
})

const openAPIV3Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: { size: { type: 'integer', minimum: 1 }, color: { type: 'string', default: 'red' } },
    },
  },
}
const crd = { spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema } }] } }

test('a custom resource is pruned, defaulted and validated by its definition', () => {
  const object = { apiVersion: 'x.example/v1', kind: 'X', metadata: { name: 'a' }, spec: { size: 0, more: true } }
  expect(valueOf({ object, crd })).toEqual({
    valid: false,
    problems: [
      {
        field: 'spec.size',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: 0: spec.size in body should be greater than or equal to 1',
      },
    ],
    unknown: ['spec.more'],
    object: { ...object, spec: { size: 0, color: 'red' } },
  })
  expect(valueOf({ object, crd, old: object })).toMatchObject({ valid: true })
})

test('a bare schema judges any value', () => {
  expect(valueOf({ object: 'abc', schema: { type: 'string', maxLength: 2 } })).toMatchObject({ valid: false })
  expect(valueOf({ object: [1], schema: { type: 'array', items: { type: 'integer' } } })).toMatchObject({ valid: true })
})

test.each([
  [{}, 'object'],
  [{ object: {} }, 'kind'],
  [{ object: { apiVersion: 'x/v1', kind: 'Y' } }, 'kind'],
  [{ object: {}, crd: {} }, 'crd'],
  [{ object: { apiVersion: 'x.example/v2' }, crd }, 'object.apiVersion'],
])('%j is told what it lacks', (request, at) => {
  expect(valueOf(request)).toMatchObject({ error: { code: 'validate-request-invalid', at } })
})

test('a definition that is not structural is refused with its problems', () => {
  const bad = {
    spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: { type: 'object', properties: { a: {} } } } }] },
  }
  expect(valueOf({ object: { apiVersion: 'x.example/v1' }, crd: bad })).toMatchObject({
    error: { at: 'spec.versions[0].schema.openAPIV3Schema.properties[a].type' },
  })
})

test('CEL rules speak once the shape is right, and about changes too', () => {
  const schema = {
    type: 'object',
    properties: {
      min: { type: 'integer' },
      max: { type: 'integer' },
      name: {
        type: 'string',
        maxLength: 9,
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'name is fixed' }],
      },
    },
    'x-kubernetes-validations': [{ rule: 'self.min <= self.max', message: 'min is above max' }],
  }
  const object = { min: 2, max: 1, name: 'a' }
  expect(valueOf({ object, schema })).toMatchObject({
    problems: [{ message: expect.stringMatching(/min is above max$/) as unknown }],
  })
  expect(valueOf({ object: { min: 'x' }, schema })).toMatchObject({
    problems: [{ field: 'min', reason: 'FieldValueTypeInvalid' }],
  })
  expect(valueOf({ object: { min: 1, max: 1, name: 'b' }, old: { min: 1, max: 1, name: 'a' }, schema })).toMatchObject({
    problems: [{ field: 'name', message: expect.stringMatching(/name is fixed$/) as unknown }],
  })
})

test('a rule that cannot be compiled is an error of the schema', () => {
  const schema = { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nope' }] }
  expect(valueOf({ object: {}, schema })).toMatchObject({ error: { at: 'schema.x-kubernetes-validations[0].rule' } })
})
