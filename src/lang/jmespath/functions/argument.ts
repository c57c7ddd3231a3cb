import { formatFloat } from '../../../lib/go-float.ts'
import { wrongValue } from '../error.ts'
import { GoInt, typeName } from '../value.ts'

// callFunction has compared the types before these read an argument.

/** A number among checked arguments. */
export const numberAt = (args: readonly unknown[], at: number): number => args[at] as number
/** A text among checked arguments. */
export const textAt = (args: readonly unknown[], at: number): string => args[at] as string
/** A list among checked arguments. */
export const listAt = (args: readonly unknown[], at: number): readonly unknown[] => args[at] as readonly unknown[]
/** An object among checked arguments. */
export const objectAt = (args: readonly unknown[], at: number): Readonly<Record<string, unknown>> =>
  args[at] as Readonly<Record<string, unknown>>

/** The shortest decimal that reads back as the same 32-bit float, without an exponent. */
function singleText(value: number): string {
  const single = Math.fround(value)
  if (!Number.isFinite(single)) return formatFloat(single, 'f', -1)
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(single.toPrecision(digits))
    if (Math.fround(short) === single) return formatFloat(short, 'f', -1)
  }
  return formatFloat(single, 'f', -1)
}

/** A scalar as text; numbers have the precision of 32 bits, as upstream (kyverno 1.18, pkg/engine/jmespath, ifaceToString). */
export function scalarText(name: string, value: unknown, position: number): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return singleText(value)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof GoInt) return String(value.value)
  throw wrongValue(`${name}(): argument ${position} must be a string or a number, not ${typeName(value)}`)
}

/** A whole number from a double, as upstream's array and rounding functions insist. */
export function wholeNumber(name: string, value: number, position: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return value
  throw wrongValue(`${name}(): argument ${position} must be an integer, not ${value}`)
}
