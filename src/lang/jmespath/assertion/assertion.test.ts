import { describe, expect, test } from 'vitest'
import { seededIds } from '../../../lib/ids.ts'
import type { JmesPathPorts } from '../run.ts'
import { compileAssertion } from './assertion.ts'

const ports: JmesPathPorts = { now: () => 0, ids: seededIds() }

const findingsOf = (tree: unknown, value: unknown, bindings: Record<string, unknown> = {}): unknown => {
  const compiled = compileAssertion(tree)
  if (!compiled.ok) return `invalid: ${compiled.error[0]?.message}`
  const outcome = compiled.value.check(value, new Map(Object.entries(bindings)), ports)
  return outcome.ok
    ? outcome.value.map(({ at, message }) => `${at}: ${message}`)
    : `failed: ${outcome.error[0]?.message}`
}

const pod = {
  kind: 'Pod',
  spec: {
    replicas: 3,
    containers: [
      { name: 'a', image: 'x:1' },
      { name: 'b', image: 'y:2' },
    ],
  },
}

describe('a tree', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['compares only the keys that it has', { kind: 'Pod' }, pod, []],
    ['names what is not there', { spec: { paused: true } }, pod, ['spec.paused: the field is not there']],
    ['tells what was found', { kind: 'Job' }, pod, ['kind: "Pod" is found, "Job" is expected']],
    [
      'compares whole lists',
      { spec: { containers: [{ name: 'a' }] } },
      pod,
      ['spec.containers: the list has 2 items, 1 are expected'],
    ],
    ['evaluates keys', { spec: { '(length(containers))': 2 } }, pod, []],
    ['evaluates scalars on the value that they stand at', { spec: { replicas: '(@ > `2` && @)' } }, pod, []],
    ['goes over items', { spec: { '~.containers': { "(contains(image, ':'))": true } } }, pod, []],
    [
      'tells which item',
      { spec: { '~.containers': { name: 'a' } } },
      pod,
      ['spec.~.containers[1].name: "b" is found, "a" is expected'],
    ],
    ['names the index', { spec: { '~at.containers': { '($at < `2`)': true } } }, pod, []],
    ['keeps what it found', { 'spec -> it': { replicas: '(`3`)', '($it.replicas)': 3 } }, pod, []],
    [
      'goes over objects',
      { '~name.(labels)': '($name)' },
      { labels: { a: 'a', b: 'c' } },
      ['~name.(labels)[b]: "c" is found, "b" is expected'],
    ],
    ['takes escaped text as it is', { '\\(x)\\': '\\(y)\\' }, { '(x)': '(y)' }, []],
    ['takes a missing field in an expression for null', { '(spec.nope == null)': true }, pod, []],
    [
      'matches an empty object against anything but null',
      { kind: {}, nope: {} },
      { kind: 1, nope: null },
      ['nope: the value must not be null'],
    ],
    ['knows keys that objects inherit only as data', { constructor: 'x' }, {}, ['constructor: the field is not there']],
  ])('%s', (_name, tree, value, want) => {
    expect(findingsOf(tree, value)).toEqual(want)
  })

  test('reads variables', () => {
    expect(findingsOf({ '($error != null)': true, '($n)': 1 }, null, { error: 'x', n: 1 })).toEqual([])
  })

  test.each<[string, unknown, unknown, RegExp]>([
    ['values of different types', { kind: 1 }, pod, /^failed: kind: a number and a string/],
    ['a variable that nobody gave', { '($nope)': 1 }, pod, /^failed: .*no variable is called \$nope/],
    ['a language that is not known', { '(lua; 1)': 1 }, pod, /^invalid: there is no expression language "lua"/],
    ['an expression that cannot be read', { '(a b)': 1 }, pod, /^invalid: /],
    ['a scalar with a name', { a: '(b) -> c' }, pod, /^invalid: a scalar cannot be given a name/],
    ['a list that is none', { kind: ['a'] }, pod, /^failed: kind: a list is expected/],
  ])('is refused for %s', (_name, tree, value, want) => {
    expect(findingsOf(tree, value)).toMatch(want)
  })

  test('does not overflow the stack', () => {
    let tree: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) tree = { a: tree }
    expect(findingsOf(tree, {})).toMatch(/nests deeper/)
  })
})
