import type { MergeSchema } from './table.ts'

export type Fields = Readonly<Record<string, unknown>>

/** A patch that does not fit. Thrown inside the merge, a problem at its edge. */
export class Misfit extends Error {}

/** Where a merge is, and how it goes on below. */
export interface Place {
  readonly path: readonly string[]
  readonly merge: (base: unknown, patch: unknown, schema: MergeSchema | undefined, path: readonly string[]) => unknown
}

export type Directive = 'merge' | 'replace' | 'delete'

/** Reads a `$patch` value. */
export function directiveOf(value: unknown, { path }: Place): Directive {
  if (value === undefined || value === null || value === 'merge') return 'merge'
  if (value === 'replace' || value === 'delete') return value
  throw new Misfit(`${path.join('.')}: unknown patch strategy ${JSON.stringify(value)}`)
}
