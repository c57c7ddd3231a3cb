import type { PolicyRequest } from '../engine/policy-request.ts'

/** Kinds whose plurals no rule gives. */
const irregular: ReadonlyMap<string, string> = new Map([['Endpoints', 'endpoints']])

/** The plural that a kind most probably has (apimachinery, meta.UnsafeGuessKindToResource). */
export function guessPlural(kind: string): string {
  const known = irregular.get(kind)
  if (known !== undefined) return known
  const singular = kind.toLowerCase()
  if (singular.endsWith('s')) return `${singular}es`
  if (singular.endsWith('y')) return `${singular.slice(0, -1)}ies`
  return `${singular}s`
}

/** The plural of what a request is about: as it says, or as its kind suggests. */
export const pluralOf = ({ resource, kind }: PolicyRequest): string => resource?.plural ?? guessPlural(kind.kind)
