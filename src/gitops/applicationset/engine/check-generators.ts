import { isObject } from '../../../lib/json.ts'
import { fieldsOf, objectsOf } from '../../fields.ts'
import type { ApplicationSet } from '../application-set.ts'
import { generatorsIn } from './transform.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Which entries of `generators` hold none that is known, and what somebody wrote there as far as kubectl remembers. */
export function unknownGenerators(set: ApplicationSet): { readonly count: number; readonly names: readonly string[] } {
  const empty = set.generators.flatMap((entry, index) => {
    const hasSelector = isObject(entry['selector'])
    return generatorsIn(entry).length === 0 && !hasSelector ? [index] : []
  })
  const written = writtenGenerators(set.metadata.annotations?.[LAST_APPLIED])
  const names = empty.flatMap((index) => Object.keys(written[index] ?? {}).slice(0, 1))
  return { count: empty.length, names: [...new Set(names)].toSorted() }
}

/** What to tell the user about them; undefined when all is well. */
export function unknownGeneratorsText(set: ApplicationSet): string | undefined {
  const { count, names } = unknownGenerators(set)
  if (count === 0) return undefined
  const text = `ApplicationSet ${set.name} contains unrecognized generators`
  return names.length > 0 ? `${text}: ${names.join(', ')}` : text
}

function writtenGenerators(annotation: string | undefined): readonly Readonly<Record<string, unknown>>[] {
  if (annotation === undefined) return []
  try {
    const value: unknown = JSON.parse(annotation)
    const generators = objectsOf(fieldsOf(value, 'spec'), 'generators')
    return generators ?? []
  } catch (cause) {
    // Somebody else's annotation: what cannot be read tells nothing, and nothing depends on it.
    return cause instanceof SyntaxError ? [] : rethrow(cause)
  }
}

function rethrow(cause: unknown): never {
  throw cause
}
