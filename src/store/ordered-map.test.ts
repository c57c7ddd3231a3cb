import fc from 'fast-check'
import { expect, test } from 'vitest'
import { endOfPrefix, OrderedMap } from './ordered-map.ts'

const key = fc.oneof(
  fc.constantFrom('', 'a', 'a/', 'a/b', 'a0', 'b', '\uffff', '__proto__', 'constructor'),
  fc.nat(800).map((number) => `k/${number}`),
)
const step = fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }) })

function play(
  map: OrderedMap<number>,
  model: Map<string, number>,
  steps: readonly { key: string; value: number | undefined }[],
): void {
  for (const { key: at, value } of steps) {
    if (value !== undefined) {
      map.set(at, value)
      model.set(at, value)
    } else if (map.delete(at) !== model.delete(at)) throw new Error(`delete of ${at} disagrees`)
  }
}

const sorted = (model: Map<string, number>): [string, number][] =>
  [...model].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

test('behaves as a sorted map, before and after a fork, and neither side of a fork sees the other', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 1_500, size: 'max' }),
      fc.array(step),
      fc.array(step),
      key,
      key,
      fc.nat(20),
      (first, ours, theirs, from, end, limit) => {
        const map = new OrderedMap<number>()
        const model = new Map<string, number>()
        play(map, model, first)
        const fork = map.fork()
        const forkModel = new Map(model)
        play(map, model, ours)
        play(fork, forkModel, theirs)
        for (const [tried, wanted] of [
          [map, model],
          [fork, forkModel],
        ] as const) {
          const all = sorted(wanted)
          expect(tried.size).toBe(wanted.size)
          expect(tried.slice('', undefined)).toEqual(all.map(([, value]) => value))
          expect(tried.slice(from, end, limit)).toEqual(
            all
              .filter(([at]) => at >= from && at < end)
              .slice(0, limit)
              .map(([, value]) => value),
          )
          expect(tried.rank(from)).toBe(all.filter(([at]) => at < from).length)
          expect(tried.get(from)).toBe(wanted.get(from))
        }
      },
    ),
    { numRuns: 60 },
  )
})

test.each([
  ['a/', 'a0'],
  ['', undefined],
  ['\uffff', undefined],
  ['a\uffff', 'b'],
])('the keys that begin with %j end before %j', (prefix, end) => expect(endOfPrefix(prefix)).toBe(end))
