import type { JmesPathFunctions } from '../function.ts'
import { specificationFunctions } from './specification.ts'

/** Every function that expressions in Kyverno 1.18 can call. */
export const kyvernoFunctions: JmesPathFunctions = new Map(specificationFunctions)
