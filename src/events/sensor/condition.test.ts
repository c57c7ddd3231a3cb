import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileCondition } from './condition.ts'

const dependencies = ['a', 'b', 'c', 'my-dep', 'dep.with_dots', 'true']

test.each<readonly [string, readonly string[], boolean]>([
  ['a', ['a'], true],
  ['a && b', ['a'], false],
  ['a&&b', ['a', 'b'], true],
  ['a || b && c', ['a'], true],
  ['a || b && c', ['b'], false],
  ['(a || b) && c', ['b', 'c'], true],
  ['(a || b) && c', ['a', 'b'], false],
  ['my-dep && dep.with_dots', ['my-dep', 'dep.with_dots'], true],
  ['my-dep||a', ['a'], true],
  ['a && !b', ['a'], true],
  ['a && !b', ['a', 'b'], false],
  ['!!a', ['a'], true],
  ['!(a && b) && c', ['c', 'a'], true],
  ['true && a', ['a'], false],
  ['  ( ( a ) )  ', ['a'], true],
])('%s with %j: %s', (source, has, holds) => {
  const compiled = compileCondition(source, dependencies)
  expect(compiled.ok && compiled.value.holds((name) => has.includes(name))).toBe(holds)
})

test.each<readonly [string, string]>([
  ['', 'it ends where the name of a dependency is missing'],
  ['a &&', 'it ends where the name of a dependency is missing'],
  ['a & b', 'unexpected "&" at position 3'],
  ['a b', 'unexpected "b" at position 3'],
  ['(a || b', "it ends where ')' is missing"],
  ['a)', 'unexpected ")" at position 2'],
  ['&& a', 'unexpected "&&" at position 1'],
  ['a && d', '"d" at position 6 is not the name of a dependency'],
  ['constructor', '"constructor" at position 1 is not the name of a dependency'],
  ['a && !a', 'no combination of events can ever make it true'],
  [`${'('.repeat(100_000)}a`, 'it is longer than 20000 characters'],
  [`${'!'.repeat(5_000)}a`, 'it nests deeper than 100 levels'],
])('%s is refused', (source, message) => {
  const compiled = compileCondition(source, dependencies)
  expect(!compiled.ok && compiled.error[0]?.message).toContain(message)
})

test('only what joins by && or ! waits', () => {
  const immediate = (source: string): unknown => {
    const compiled = compileCondition(source, dependencies)
    return compiled.ok && compiled.value.isImmediate
  }
  expect(['a', 'a || b', '(a || b) || c'].map(immediate)).toEqual([true, true, true])
  expect(['a && b', 'a || b && c', '!a || b'].map(immediate)).toEqual([false, false, false])
})

test('law: a condition means what JavaScript would make of it', () => {
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('a', 'b', 'c'),
      fc.tuple(tie('expression'), fc.constantFrom(' && ', '||'), tie('expression')).map((parts) => parts.join('')),
      tie('expression').map((inner) => `(${inner})`),
      tie('expression').map((inner) => `!(${inner})`),
    ),
  }))
  fc.assert(
    fc.property(expression, fc.subarray(['a', 'b', 'c']), (source, has) => {
      const compiled = compileCondition(source, ['a', 'b', 'c'])
      // oxlint-disable-next-line no-implied-eval -- the peer that the law is about
      const meant = new Function('a', 'b', 'c', `return ${source}`) as (...given: readonly boolean[]) => boolean
      const holds = compiled.ok && compiled.value.holds((name) => has.includes(name))
      const isAsked = compiled.ok || has.some((name) => source.includes(name))
      expect(holds).toBe(isAsked && meant(...['a', 'b', 'c'].map((name) => has.includes(name))))
    }),
  )
})
