import type { Declaration } from '../schema/declare.ts'
import type { CelType } from '../type.ts'
import { atLeast, exactly, type Range, unbounded } from './range.ts'

/** What is known of a part of an expression before it runs. */
export interface Estimated {
  readonly cost: Range
  readonly type: CelType | undefined
  /** How large its value can be, when that is known. */
  readonly size?: Range
  /** The schema of its value, when it comes from the input. */
  readonly declaration?: Declaration
  /** What is known of the items of a list that the expression makes. */
  readonly items?: Known
}

/** What is known of a value without what it costs to get it. */
export type Known = Omit<Estimated, 'cost'>

/** How large a value can be: what is computed, else what its schema bounds, else anything. Scalars count one. */
export function sizeEstimate(part: Known): Range {
  if (part.size) return part.size
  if (part.declaration) {
    const { maxElements, type } = part.declaration
    const isSized = ['string', 'bytes', 'list', 'map', 'dyn', 'duration', 'timestamp'].includes(type.kind)
    return isSized ? atLeast(0, maxElements) : exactly(1)
  }
  const kind = part.type?.kind
  const isScalar =
    kind !== undefined && ['bool', 'int', 'uint', 'double', 'null', 'duration', 'timestamp', 'type'].includes(kind)
  return isScalar ? exactly(1) : unbounded
}
