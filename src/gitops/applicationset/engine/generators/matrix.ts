import { succeed } from '../../../../lib/result.ts'
import { objectsOf } from '../../../fields.ts'
import { EMPTY, type Fields, type Generator, type GeneratorContext, refuse, wrap } from '../generator.ts'
import type { Outcome } from '../need.ts'
import { goText, mergeOver, type Params, paramsFrom } from '../params.ts'
import { setOwn } from '../../../../lib/json.ts'
import type { Result } from '../../../../lib/result.ts'

/** Makes the parameters of a generator within another, with what is known already filled into it. */
export type Nested = (generator: Fields, context: GeneratorContext, known: Params) => Outcome<readonly Params[]>

/** How many sets of parameters generators may make together. */
export const MOST_PARAMS = 100_000

/** Every pair of two generators; the second may use what the first made. */
export function matrix(nested: Nested): Generator {
  return (spec, context) => {
    const generators = objectsOf(spec, 'generators')
    if (!generators) return refuse(EMPTY)
    const [left, right] = generators
    if (!left || !right) return refuse('found less than two generators, Matrix support only two')
    if (generators.length > 2) return refuse('found more than two generators, Matrix support only two')
    const first = nested(left, context, {})
    if (!first?.ok) {
      return first && wrap(first, 'error failed to get params for first generator in matrix generator')
    }
    const made: Params[] = []
    let isComplete = true
    for (const a of first.value) {
      const second = nested(right, context, a)
      if (!second) {
        isComplete = false
        continue
      }
      if (!second.ok) return wrap(second, 'failed to get params for second generator in the matrix generator')
      for (const b of second.value) {
        const both = context.dialect.goTemplate ? succeed(mergeOver(b, a)) : combineTexts(a, b)
        if (!both.ok) return wrap(both, 'failed to combine string maps with merging params for the matrix generator')
        made.push(both.value)
      }
      if (made.length > MOST_PARAMS) return refuse(`a matrix makes more than ${MOST_PARAMS} sets of parameters`)
    }
    return isComplete ? succeed(made) : undefined
  }
}

/** Two sets of texts in one; they may not disagree. */
export function combineTexts(a: Params, b: Params): Result<Params> {
  const combined: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(a)) setOwn(combined, key, goText(value))
  for (const [key, value] of Object.entries(b)) {
    const text = goText(value)
    const before = Object.hasOwn(combined, key) ? combined[key] : undefined
    if (before !== undefined && before !== text) {
      return refuse(`found duplicate key ${key} with different value, a: ${goText(before)} ,b: ${text}`)
    }
    setOwn(combined, key, text)
  }
  return succeed(paramsFrom(Object.entries(combined)))
}
