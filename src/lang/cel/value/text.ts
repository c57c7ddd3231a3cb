import { EvaluationError } from '../error.ts'
import type { Int } from './integer.ts'

const SURROGATE = /[\ud800-\udfff]/

/** How many characters a string has; those beyond U+FFFF count once. */
export function codePointCount(text: string): number {
  let count = text.length
  for (let index = 0; index < text.length; index++) {
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) count--
  }
  return count
}

/** A text by characters, where those beyond U+FFFF count once. */
export interface Characters {
  readonly length: number
  slice(start: number, end?: number): string
  at(index: number): string
  /** The index of a character of the JavaScript string, and back. */
  fromUnits(units: number): number
  toUnits(index: number): number
}

/** Looks at a text by characters; the common case of no surrogates costs nothing. */
export function charactersOf(text: string): Characters {
  if (!SURROGATE.test(text)) {
    return {
      length: text.length,
      slice: (start, end) => text.slice(start, end),
      at: (index) => text[index] ?? '',
      fromUnits: (units) => units,
      toUnits: (index) => index,
    }
  }
  const points = Array.from(text)
  return {
    length: points.length,
    slice: (start, end) => points.slice(start, end).join(''),
    at: (index) => points[index] ?? '',
    fromUnits: (units) => codePointCount(text.slice(0, units)),
    toUnits: (index) => points.slice(0, index).join('').length,
  }
}

/** An int argument that must be small enough to be an index. */
export function indexArgument(value: Int, what = 'index'): number {
  if (typeof value !== 'number') throw new EvaluationError(`${what} out of range: ${value}`)
  return value
}

/** The longest string that a function makes. */
export const MAX_STRING: number = 16 * 1024 * 1024

/** Refuses a result that would be too long, before it is made. */
export function refuseLong(length: number): void {
  if (length > MAX_STRING)
    throw new EvaluationError(`the string would have ${length} characters; the limit is ${MAX_STRING}`)
}
