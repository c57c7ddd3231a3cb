import { wrongValue } from './error.ts'
import type { SliceParts } from './node.ts'

function bounded(length: number, written: number, step: number): number {
  if (written < 0) return Math.max(written + length, step < 0 ? -1 : 0)
  return Math.min(written, step < 0 ? length - 1 : length)
}

/** The part of a list between two places, counted from the end where negative, in steps. */
export function sliceOf(list: readonly unknown[], [start, stop, step = 1]: SliceParts): readonly unknown[] {
  if (step === 0) throw wrongValue('the step of a slice cannot be 0')
  const { length } = list
  const from = start === undefined ? (step < 0 ? length - 1 : 0) : bounded(length, start, step)
  const to = stop === undefined ? (step < 0 ? -1 : length) : bounded(length, stop, step)
  if (step === 1) return list.slice(from, Math.max(to, from))
  const taken: unknown[] = []
  if (step > 0) for (let at = from; at < to; at += step) taken.push(list[at])
  else for (let at = from; at > to; at += step) taken.push(list[at])
  return taken
}
