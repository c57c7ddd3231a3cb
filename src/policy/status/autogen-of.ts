import { type Autogen, validatingAutogen as validating } from '../cel/autogen.ts'
import type { ValidatingSpec } from '../cel/validating.ts'

/** The forms of a ValidatingPolicy for Pod controllers. */
export const validatingAutogen = (spec: unknown): readonly Autogen<unknown>[] => validating(spec as ValidatingSpec)

/** The forms of a MutatingPolicy for Pod controllers. */
export const mutatingAutogen = (_spec: unknown): readonly Autogen<unknown>[] => []
