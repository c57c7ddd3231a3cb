import { ExprError, isList, isMap, typeName, type Value } from '../value.ts'

const wrong = (name: string, want: string, got: Value): ExprError =>
  new ExprError(`invalid argument for ${name} (expected ${want}, got ${typeName(got)})`)

/** The argument as a text. */
export function text(name: string, value: Value): string {
  if (typeof value !== 'string') throw wrong(name, 'string', value)
  return value
}

/** The argument as a number. */
export function number(name: string, value: Value): number {
  if (typeof value !== 'number') throw wrong(name, 'number', value)
  return value
}

/** The argument as a whole number. */
export function whole(name: string, value: Value): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong(name, 'int', value)
  return value
}

/** The argument as a list. */
export function list(name: string, value: Value): readonly Value[] {
  if (!isList(value)) throw wrong(name, 'array', value)
  return value
}

/** The argument as a map. */
export function map(name: string, value: Value): Readonly<Record<string, Value>> {
  if (!isMap(value)) throw wrong(name, 'map', value)
  return value
}

/** Refuses a wrong number of arguments. */
export function count(name: string, args: readonly Value[], least: number, most: number = least): void {
  if (args.length >= least && args.length <= most) return
  const want = least === most ? `${least}` : `${least} to ${most}`
  throw new ExprError(`invalid number of arguments for ${name} (expected ${want}, got ${args.length})`)
}
