import type { Machine } from '../machine.ts'
import { LuaFunction, LuaTable, type LuaValue, numberOf, typeName } from '../value.ts'

/** A built-in function: arguments in, values out. */
export type Builtin = (args: readonly LuaValue[], machine: Machine) => readonly LuaValue[]

/** A table of built-in functions. */
export function libraryOf(functions: Readonly<Record<string, Builtin>>, prefix: string): LuaTable {
  const table = new LuaTable()
  for (const [name, call] of Object.entries(functions)) table.set(name, new LuaFunction(`${prefix}${name}`, call))
  return table
}

const bad = (machine: Machine, at: number, wanted: string, value: LuaValue): Error =>
  machine.error(
    `bad argument #${at + 1} (${wanted} expected, got ${value === undefined ? 'no value' : typeName(value)})`,
  )

export function numberAt(args: readonly LuaValue[], at: number, machine: Machine, otherwise?: number): number {
  const value = args[at]
  if (value === undefined && otherwise !== undefined) return otherwise
  const number = numberOf(value)
  if (number === undefined) throw bad(machine, at, 'number', value)
  return number
}

export function textAt(args: readonly LuaValue[], at: number, machine: Machine, otherwise?: string): string {
  const value = args[at]
  if (typeof value === 'string') return value
  if (typeof value === 'number') return machine.textOf(value)
  if (value === undefined && otherwise !== undefined) return otherwise
  throw bad(machine, at, 'string', value)
}

export function tableAt(args: readonly LuaValue[], at: number, machine: Machine): LuaTable {
  const value = args[at]
  if (value instanceof LuaTable) return value
  throw bad(machine, at, 'table', value)
}
