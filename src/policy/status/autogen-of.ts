import { type Autogen, mutatingAutogen as mutating, validatingAutogen as validating } from '../cel/autogen.ts'
import type { MutatingSpec } from '../cel/mutating.ts'
import type { ValidatingSpec } from '../cel/validating.ts'

/** The forms of a ValidatingPolicy for Pod controllers. */
export const validatingAutogen = (spec: unknown): readonly Autogen<unknown>[] => validating(spec as ValidatingSpec)

/** The forms of a MutatingPolicy for Pod controllers. */
export const mutatingAutogen = (spec: unknown): readonly Autogen<unknown>[] => mutating(spec as MutatingSpec)
