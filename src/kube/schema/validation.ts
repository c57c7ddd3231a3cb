import type { FieldError } from './field-error.ts'
import type { Trail } from './walk.ts'

/** More problems than these help nobody. */
const MOST_PROBLEMS = 100

/** A validation under way. */
export interface Validation {
  readonly trail: Trail
  readonly problems: FieldError[]
  /** The steps to each problem, when somebody asks. */
  readonly places?: (readonly (string | number)[])[]
}

/** Checks one value and reports what is wrong with it. */
export type Validator<T = unknown> = (value: T, walk: Validation) => void

/** Reports a problem at the current place. */
export function report(walk: Validation, make: (at: string) => FieldError): void {
  if (walk.problems.length >= MOST_PROBLEMS) return
  walk.problems.push(make(walk.trail.toString()))
  walk.places?.push(walk.trail.steps.slice(0, walk.trail.depth))
}
