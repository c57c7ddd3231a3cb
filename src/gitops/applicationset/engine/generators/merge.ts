import { type Result, succeed } from '../../../../lib/result.ts'
import { marshalJson } from '../../../../lang/gotemplate/json.ts'
import { own } from '../../../../lib/json.ts'
import { objectsOf, textsOf } from '../../../fields.ts'
import { EMPTY, type Generator, refuse, wrap } from '../generator.ts'
import { mergeOver, type Params, paramsFrom, withParams } from '../params.ts'
import type { Nested } from './matrix.ts'

/** The first generator's sets of parameters, each with what the others say of the same merge keys. */
export function merge(nested: Nested): Generator {
  return (spec, context) => {
    const generators = objectsOf(spec, 'generators')
    if (!generators) return refuse(EMPTY)
    if (generators.length < 2) return refuse('found less than two generators, Merge requires two or more')
    const keys = textsOf(spec, 'mergeKeys') ?? []
    const sets: (readonly Params[])[] = []
    let isComplete = true
    for (const [index, generator] of generators.entries()) {
      const made = nested(generator, context, {})
      if (!made) isComplete = false
      else if (!made.ok) {
        const place = `error getting params from generator ${index + 1} of ${generators.length}`
        return wrap(made, `error getting param sets from generators: ${place}`)
      } else sets.push(made.value)
    }
    if (!isComplete) return undefined
    return mergeSets(keys, sets, context.dialect.goTemplate)
  }
}

function mergeSets(
  keys: readonly string[],
  [base = [], ...others]: readonly (readonly Params[])[],
  isGoTemplate: boolean,
): Result<readonly Params[]> {
  const failure = 'error getting param sets by merge key'
  const first = setsByKey(keys, base)
  if (!first.ok) return wrap(first, failure)
  const merged = new Map(first.value)
  for (const other of others) {
    const over = setsByKey(keys, other)
    if (!over.ok) return wrap(over, failure)
    for (const [key, params] of merged) {
      const more = over.value.get(key)
      if (more) merged.set(key, isGoTemplate ? mergeOver(params, more) : withParams(params, more))
    }
  }
  return succeed([...merged.values()])
}

/** Sets of parameters by the values of the merge keys, as JSON; in the order in which they were made. */
export function setsByKey(mergeKeys: readonly string[], sets: readonly Params[]): Result<ReadonlyMap<string, Params>> {
  if (mergeKeys.length === 0) return refuse('no merge keys were specified, Merge requires at least one')
  const names = [...new Set(mergeKeys)]
  const byKey = new Map<string, Params>()
  for (const params of sets) {
    const key = marshalJson(paramsFrom(names.map((name) => [name, own(params, name) ?? null] as const)))
    if (typeof key !== 'string') return refuse(`error marshalling param set key json: ${key.message}`)
    if (byKey.has(key)) {
      return refuse(
        `the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique. Duplicate key was ${key}`,
      )
    }
    byKey.set(key, params)
  }
  return succeed(byKey)
}
