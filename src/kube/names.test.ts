import { expect, test } from 'vitest'
import * as names from './names.ts'

test.each([
  ['checkDnsLabel', 'web-1', true],
  ['checkDnsLabel', 'Web', false],
  ['checkDnsLabel', '-web', false],
  ['checkDnsLabel', 'a.b', false],
  ['checkDnsLabel', 'a'.repeat(64), false],
  ['checkDnsSubdomain', 'a.b-c', true],
  ['checkDnsSubdomain', 'a..b', false],
  ['checkDnsSubdomain', 'a'.repeat(254), false],
  ['checkDns1035Label', 'a1', true],
  ['checkDns1035Label', '1a', false],
  ['checkPathSegment', 'system:node', true],
  ['checkPathSegment', 'a/b', false],
  ['checkPathSegment', '..', false],
  ['checkQualifiedName', 'example.com/Name_1.x', true],
  ['checkQualifiedName', '/x', false],
  ['checkQualifiedName', 'x/', false],
  ['checkQualifiedName', 'a/b/c', false],
  ['checkQualifiedName', 'Example.com/x', false],
  ['checkLabelValue', '', true],
  ['checkLabelValue', 'a_b.C', true],
  ['checkLabelValue', 'a b', false],
  ['checkConfigKey', '__proto__', true],
  ['checkConfigKey', 'a/b', false],
  ['checkConfigKey', '..', false],
  ['checkConfigKey', '..a', false],
  ['checkEnvName', 'MY.env-1', true],
  ['checkEnvName', '1A', false],
  ['checkPortName', 'http-1', true],
  ['checkPortName', '123', false],
  ['checkPortName', 'a--b', false],
  ['checkPortName', 'a'.repeat(16), false],
  ['checkCIdentifier', '_a1', true],
  ['checkCIdentifier', 'a-b', false],
] as const)('%s accepts %j: %s', (check, text, accepted) => {
  expect(names[check](text).length === 0).toBe(accepted)
})

test('a very long name costs no more than its prefix', () => {
  expect(names.checkDnsSubdomain(`${'a.'.repeat(5_000_000)}!`)).not.toEqual([])
})
