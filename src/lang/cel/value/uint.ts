import { EvaluationError } from '../error.ts'
import { Boxed } from './boxed.ts'

export const UINT_MAX: bigint = 2n ** 64n - 1n

/** A CEL uint. */
export class Uint extends Boxed {
  readonly kind = 'uint' as const
  readonly value: bigint

  constructor(value: bigint) {
    super()
    this.value = value
  }
}

/** A bigint as a uint; throws where it leaves 64 bits. */
export function toUint(value: bigint): Uint {
  if (value < 0n || value > UINT_MAX) throw new EvaluationError('unsigned integer overflow')
  return new Uint(value)
}
