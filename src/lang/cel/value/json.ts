import { Double } from './double.ts'

const TWO_TO_63 = 2 ** 63

/** A JSON number as Kubernetes reads it where no schema says otherwise: an int when it is whole, a double when it is not. */
export function fromJsonNumber(value: number): unknown {
  if (Number.isSafeInteger(value)) return value
  if (Number.isInteger(value) && value < TWO_TO_63 && value >= -TWO_TO_63) return BigInt(value)
  return new Double(value)
}

/** Any JSON value as a CEL value. Containers stay as they are; their members are adapted when they are read. */
export function fromJson(value: unknown): unknown {
  return typeof value === 'number' ? fromJsonNumber(value) : value === undefined ? null : value
}
