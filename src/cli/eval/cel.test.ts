import { describe, expect, test } from 'vitest'
import { evaluate } from './cel.ts'

const value = (request: object): unknown => {
  const result = evaluate(request as Readonly<Record<string, unknown>>)
  return result.ok ? result.value : `${result.error[0]?.code}: ${result.error[0]?.message}`
}

describe('idp eval cel', () => {
  test.each([
    ['a value with its type', { expression: '1 + 2' }, { value: 3, type: 'int', cost: 1, staticType: 'int' }],
    [
      'a double that looks like an int',
      { expression: '1.0' },
      { value: 1, type: 'double', cost: 0, staticType: 'double' },
    ],
    [
      'what JSON has no number for',
      { expression: '[9223372036854775807, 0.0 / 0.0]', unchecked: true },
      { value: ['9223372036854775807', 'NaN'], type: 'list', cost: 11 },
    ],
    [
      'bytes, durations, timestamps and optionals',
      { expression: "[b'hi', duration('90s'), timestamp(0), optional.none()]" },
      { value: ['aGk=', '90s', '1970-01-01T00:00:00Z', null] },
    ],
    [
      'the exact value',
      { expression: '{1: 2u}', exact: true },
      { exprValue: { mapValue: { entries: [{ key: { int64Value: '1' }, value: { uint64Value: '2' } }] } } },
    ],
    [
      'bindings of any type',
      { expression: 'x + 1u', bindings: { x: { uint64Value: '2' } } },
      { value: 3, type: 'uint' },
    ],
    [
      'values read through a schema',
      { expression: 'x / 2.0', variables: { x: 1 }, schemas: { x: { type: 'number' } } },
      { value: 0.5, type: 'double' },
    ],
    [
      'the type only',
      { mode: 'check', expression: 'x.map(y, y + 1)', types: { x: 'list<int>' } },
      { type: 'list(int)' },
    ],
    ['the tree and its text', { mode: 'parse', expression: 'a.b( 1 )' }, { printed: 'a.b(1)' }],
    [
      'an estimate',
      {
        mode: 'estimate',
        expression: 'x.all(y, y > 0)',
        schemas: { x: { type: 'array', maxItems: 10, items: { type: 'integer' } } },
      },
      { min: 2, max: 52 },
    ],
    [
      'rules',
      {
        mode: 'rules',
        root: false,
        schema: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 1' }] },
        value: 1,
      },
      {
        problems: [{ at: '', reason: 'FieldValueInvalid', message: 'Invalid value: 1: failed rule: self > 1' }],
        warnings: [],
      },
    ],
  ])('answers %s', (_name, request, want) => expect(value(request)).toMatchObject(want))

  test.each([
    [{}, 'field-invalid: expression must be a string'],
    [{ expression: '1 +' }, /^cel-syntax: /],
    [{ expression: 'y' }, "cel-type-mismatch: undeclared reference to 'y' (in container '')"],
    [{ expression: '1 / 0' }, 'cel-evaluation-failed: division by zero'],
    [{ expression: '1', libraries: ['nope'] }, /^field-invalid: no library is called "nope"/],
    [{ expression: '1', types: { x: 'list<' } }, /^field-invalid: cannot read the type/],
    [{ expression: 'x', bindings: { x: { objectValue: { '@type': 'x' } } } }, /^field-invalid: messages of type "x"/],
    [{ expression: '[1, 2].all(x, true)', budget: { steps: 1 } }, /^cel-budget-exceeded: /],
    [{ expression: '1', mode: 'other' }, /^field-invalid: mode must be/],
    [
      { mode: 'rules', schema: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self' }] } },
      /^field-invalid: .*must evaluate to a bool/,
    ],
  ])('refuses %j', (request, want) => expect(value(request)).toMatch(want))
})
