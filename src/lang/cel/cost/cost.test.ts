import { describe, expect, test } from 'vitest'
import { compile } from '../cel.ts'
import { kubernetesEnvironment } from '../kubernetes/environment.ts'
import { dynType } from '../type.ts'
import { fromExprValue } from '../wire/expr-value.ts'

/** What one evaluation costs in the environment of the API server. */
function costOf(source: string, self: unknown): number | string {
  const program = compile(kubernetesEnvironment({ variables: { self: dynType } }), source)
  if (!program.ok) return program.error[0]?.message ?? ''
  const outcome = program.value.evaluate({ self })
  return outcome.ok ? outcome.value.cost : (outcome.error[0]?.message ?? '')
}

const text = 'Rook takes!!'
const thousand = Array.from({ length: 1_000 }, () => 1)
const day = fromExprValue({ objectValue: { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '3723s' } })

/** The figures are those that the API server charges (apiextensions-apiserver schema/cel, CEL cost stability). */
describe('an expression costs what the API server charges', () => {
  test.each([
    ['self.a == self.b', { a: 1, b: 1 }, 5],
    ['self.a + 1 == 2 + 1', { a: 2 }, 5],
    ['double(5) < 10.0', {}, 1],
    ['type(self.a) == int', { a: 1 }, 4],
    ['double(self.a) < self.b', { a: 1, b: 2.5 }, 6],
    ["self.a.startsWith('Rook')", { a: text }, 4],
    ['size(self.a) == 12', { a: text }, 4],
    ["self.a.charAt(3) == 'k'", { a: text }, 4],
    ["self.a.split(' ') == ['Rook', 'takes!!']", { a: text }, 6],
    ['self.a.lowerAscii() == self.a.lowerAscii()', { a: text }, 10],
    ["self.a in ['Pending', 'Available']", { a: 'Pending' }, 2],
    ['1 in self.a', { a: [1, 2, 3] }, 5],
    ['self.b[0] in self.a', { a: [1, 2, 3], b: [1] }, 8],
    ['self.a + self.b == [1, 2, 3, 1, 2, 3]', { a: [1, 2, 3], b: [1, 2, 3] }, 6],
    ['has(self.a) && has(self.b)', { a: 1, b: 2 }, 2],
    ["sets.contains(self.a, ['a'])", { a: ['a', 'b', 'c'] }, 6],
    ["sets.equivalent(self.a, ['a', 'b', 'c'])", { a: ['a', 'b', 'c'] }, 21],
    ['sets.contains(self.a, [1])', { a: thousand }, 1003],
    ["'k1' in self.a", { a: { k1: 'v' } }, 3],
    ["self.a == {'k1': 'a', 'k2': 'b'}", { a: { k1: 'a', k2: 'b' } }, 3],
    ["self.a == duration('1h2m') + duration('3s')", { a: day }, 4],
    ['self.a == [self.b[0], self.b[1]]', { a: [1, 2], b: [1, 2] }, 19],
  ])('%s', (source, self, want) => expect(costOf(source, self)).toBe(want))
})
