import { expect, test } from 'vitest'
import { operatorNamed, operatorNames } from './operator.ts'

test.each<[string, unknown, unknown, boolean]>([
  ['Equals', 'a', 'a', true],
  ['Equals', 'abc', 'a*', true],
  ['Equals', '1Gi', '1024Mi', true],
  ['Equals', '60s', '1m', true],
  ['Equals', 60, '1m', false],
  ['Equals', '5', 5, false],
  ['Equals', 5, '5', true],
  ['Equals', true, 'true', false],
  ['Equals', [1, { a: 2 }], [1, { a: 2 }], true],
  ['Equals', null, null, false],
  ['NotEquals', null, 'a', false],
  ['NotEquals', 'a', 'b', true],
  ['NotEquals', '', '', false],
  ['AnyIn', 'a', ['b', 'a'], true],
  ['AnyIn', ['x', 'a'], ['a'], true],
  ['AnyIn', ['x'], '["x","y"]', true],
  ['AnyIn', ['x'], 'x', true],
  ['AnyIn', 5, '1-10', true],
  ['AnyIn', ['nginx'], ['ngin?'], true],
  ['AllIn', ['a', 'b'], ['a', 'b', 'c'], true],
  ['AllIn', ['a', 'd'], ['a', 'b', 'c'], false],
  ['AllIn', [], ['a'], true],
  ['AnyNotIn', ['a', 'd'], ['a', 'b'], true],
  ['AnyNotIn', [], ['a', 'b'], false],
  ['AnyNotIn', [5, 50], '1-10', true],
  ['AllNotIn', ['d', 'e'], ['a', 'b'], true],
  ['AllNotIn', ['a', 'e'], ['a', 'b'], false],
  ['AllNotIn', null, ['a'], false],
  ['GreaterThan', 5, '4', true],
  ['GreaterThan', '2Gi', '1Gi', true],
  ['GreaterThanOrEquals', '1h', 3600, true],
  ['LessThan', '1.2.3', '1.10.0', true],
  ['LessThan', 'x', 'y', false],
  ['LessThanOrEquals', 5, 5.5, true],
  ['DurationGreaterThan', '2h', '90m', true],
  ['durationlessthan', 10, '1m', true],
  ['In', 'a', ['a'], true],
  ['In', ['a', 'b'], ['a'], false],
  ['NotIn', ['a', 'b'], ['a'], true],
])('%s of %j and %j is %j', (name, key, value, want) => {
  expect(operatorNamed(name)?.(key, value)).toBe(want)
})

test('every operator that is named exists', () => {
  expect(operatorNames.filter((name) => !operatorNamed(name))).toEqual([])
  expect(operatorNamed('Resembles')).toBeUndefined()
})
