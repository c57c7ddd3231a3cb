import type { Json } from '../../lib/json.ts'
import { textOf } from './value.ts'

/** An error of the program itself: `try` may catch it, with its value. */
export class JqError extends Error {
  readonly value: Json
  constructor(value: Json) {
    super(typeof value === 'string' ? value : `${textOf(value)} (not a string)`)
    this.value = value
  }
}

/** A program that does not parse. */
export class JqSyntaxError extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** A program that did more than it may; nothing catches it. */
export class JqBudgetError extends Error {}

/** Ends the evaluation of a label's body. Each label that is entered makes its own. */
export class Break extends Error {}

/** Carries what was thrown behind an output of a `try` through that `try`, which must not catch it. */
export class Downstream {
  readonly thrown: unknown
  constructor(thrown: unknown) {
    this.thrown = thrown
  }
}
