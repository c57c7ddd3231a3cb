import { expect, test } from 'vitest'
import { seededIds } from '../../lib/ids.ts'
import { compileJmesPath } from './jmespath.ts'

const ports = { now: () => 0, ids: seededIds() }
const deep = (levels: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

function codeOf(expression: string, data: unknown = null): string | undefined {
  const path = compileJmesPath(expression)
  const found = path.ok ? path.value.search(data, ports) : path
  return found.ok ? 'ok' : found.error[0]?.code
}

const times = (text: string, count: number): string => text.repeat(count)

test.each([
  ['brackets', times('[', 100_000)],
  ['parentheses', times('(', 100_000)],
  ['nots', times('!', 100_000) + 'a'],
  ['references', times('& ', 100_000) + 'a'],
  ['hashes', times('{a:', 100_000)],
  ['calls', times('abs(', 100_000)],
  ['a chain of names', 'a' + times('.a', 100_000)],
  ['a chain of pipes', 'a' + times('|a', 100_000)],
  ['a chain of flattens', 'a' + times('[]', 100_000)],
  ['chains in parentheses', times('(', 400) + 'a' + times(times('.a', 90) + ')', 400)],
  ['a text that is too long', times(' ', 1_000_001)],
])('an expression of 100,000 %s is refused', (_name, expression) =>
  expect(codeOf(expression)).toBe('jmespath-budget-exceeded'),
)

test.each([
  ['doubling lists', '[@,@]' + times('|[@,@]', 60), 'jmespath-budget-exceeded'],
  ['doubling and flattening', '[@,@][]' + times('|[@,@][]', 60), 'jmespath-budget-exceeded'],
  [
    'comparing doubled lists',
    `(${'[@,@]' + times('|[@,@]', 60)}) == (${'[@,@]' + times('|[@,@]', 60)})`,
    'jmespath-budget-exceeded',
  ],
  ['printing doubled lists', `to_string(${'[@,@]' + times('|[@,@]', 60)})`, 'jmespath-budget-exceeded'],
  ['joining doubled texts', "'xxxxxxxxxx'" + times("|join('', [@,@])", 60), 'jmespath-budget-exceeded'],
])('%s ends in bounded time', (_name, expression, want) => expect(codeOf(expression, 1)).toBe(want))

test('data 100,000 levels deep passes through, and is refused where it would be walked', () => {
  const data = { a: deep(100_000), b: deep(100_000) }
  expect(codeOf('a', data)).toBe('ok')
  expect(codeOf('a[0][0]', data)).toBe('ok')
  expect(codeOf('a == b', data)).toBe('jmespath-budget-exceeded')
  expect(codeOf('to_string(a)', data)).toBe('jmespath-budget-exceeded')
  expect(codeOf('[a]', data)).toBe('jmespath-budget-exceeded')
})

test('a literal 100,000 levels deep is refused', () => {
  expect(codeOf('`' + times('[', 100_000) + times(']', 100_000) + '`')).toBe('jmespath-budget-exceeded')
})

test('the budget of a search can be made smaller', () => {
  const path = compileJmesPath('@[*].a')
  const data = Array.from({ length: 100 }, () => ({ a: 1 }))
  const found = path.ok && path.value.search(data, ports, { steps: 10, text: 10 })
  expect(found).toMatchObject({ ok: false, error: [{ code: 'jmespath-budget-exceeded' }] })
})
