import type { Macro } from '../syntax/macro.ts'
import type { CelType } from '../type.ts'
import { parseSignature } from './signature.ts'

/** A function's implementation: its arguments are of the declared kinds. */
export type Implementation = (...args: never[]) => unknown

/** What a call costs, known before it runs: the receiver first, then the arguments. */
export type CostRule = (first: unknown, second: unknown, third: unknown) => number

/** One way to call a function. */
export interface Overload {
  readonly id: string
  readonly name: string
  readonly member: boolean
  readonly args: readonly CelType[]
  readonly result: CelType
  /** Absent for operators, which the evaluator knows. */
  readonly run?: Implementation
  /** One when absent. */
  readonly cost?: CostRule
}

/** A named set of functions, macros and types that an environment can have. */
export interface Library {
  readonly name: string
  readonly macros?: readonly Macro[]
  readonly overloads?: readonly Overload[]
  readonly types?: readonly CelType[]
}

/** Declares one overload by its signature. */
export function overload(id: string, signature: string, run?: Implementation, cost?: CostRule): Overload {
  return { id, ...parseSignature(signature), ...(run ? { run } : {}), ...(cost ? { cost } : {}) }
}
