import { millisecondsOf, parseDuration } from '../../../lib/duration.ts'
import { own } from '../../../lib/json.ts'
import { fieldsOf, objectsOf } from '../../fields.ts'
import { type Fields, type GeneratorName, type GeneratorSettings, usualGeneratorSettings } from './generator.ts'
import { generatorsIn } from './transform.ts'

const [LEAST_MS, MOST_MS] = [1_000, 8_760 * 3_600_000]

/** How often to ask generators where they do not say, from the installation's setting; one out of range counts for none. */
export function usualRequeueMs(setting: string): number {
  const read = parseDuration(setting)
  const ms = read.ok ? millisecondsOf(read.value) : Number.NaN
  return ms >= LEAST_MS && ms <= MOST_MS ? ms : usualGeneratorSettings.requeueAfterMs
}

const HALF_AN_HOUR_MS = 30 * 60_000

/** When to ask an ApplicationSet's generators again: the shortest of what they want, undefined where none needs it. */
export function requeueAfterMs(generators: readonly Fields[], settings: GeneratorSettings): number | undefined {
  const wanted = generators.flatMap((entry) =>
    generatorsIn(entry).flatMap((name) => {
      const after = afterOf(name, fieldsOf(entry, name), settings, 0)
      return after === undefined ? [] : [after]
    }),
  )
  return wanted.length === 0 ? undefined : Math.min(...wanted)
}

function afterOf(name: GeneratorName, spec: Fields, settings: GeneratorSettings, depth: number): number | undefined {
  switch (name) {
    case 'list':
    case 'clusters':
      return undefined
    case 'matrix':
    case 'merge':
      return depth > 2 ? undefined : nestedAfter(objectsOf(spec, 'generators') ?? [], settings, depth + 1)
    case 'git':
    case 'clusterDecisionResource':
      return ownAfter(spec, settings.requeueAfterMs)
    case 'plugin':
    case 'pullRequest':
    case 'scmProvider':
      return ownAfter(spec, HALF_AN_HOUR_MS)
  }
}

function nestedAfter(entries: readonly Fields[], settings: GeneratorSettings, depth: number): number | undefined {
  let least: number | undefined
  for (const entry of entries) {
    for (const name of generatorsIn(entry)) {
      const after = afterOf(name, fieldsOf(entry, name), settings, depth)
      if (after !== undefined && (least === undefined || after < least)) least = after
    }
  }
  return least
}

/** Zero means never. */
function ownAfter(spec: Fields, usualMs: number): number | undefined {
  const seconds = own(spec, 'requeueAfterSeconds')
  if (typeof seconds !== 'number') return usualMs
  return seconds > 0 ? seconds * 1_000 : undefined
}
