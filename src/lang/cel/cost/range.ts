/** From and to, both included. Infinity is a bound like any other. */
export interface Range {
  readonly min: number
  readonly max: number
}

export const exactly = (value: number): Range => ({ min: value, max: value })
export const atLeast = (min: number, max: number): Range => ({ min, max })
export const unbounded: Range = { min: 0, max: Number.POSITIVE_INFINITY }

export const add = (a: Range, b: Range): Range => ({ min: a.min + b.min, max: a.max + b.max })

const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)
export const multiply = (a: Range, b: Range): Range => ({ min: times(a.min, b.min), max: times(a.max, b.max) })
/** By a factor, rounded up. */
export const scale = (range: Range, factor: number): Range => ({
  min: Math.ceil(times(range.min, factor)),
  max: Math.ceil(times(range.max, factor)),
})
export const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })
/** The smaller of two, bound by bound. */
export const smaller = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.min(a.max, b.max) })
