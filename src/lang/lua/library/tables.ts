import type { Machine } from '../machine.ts'
import { isTrue, type LuaTable, type LuaValue } from '../value.ts'
import { type Builtin, numberAt, tableAt, textAt } from './library.ts'

function insert(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const table = tableAt(args, 0, machine)
  const end = table.length + 1
  if (args.length === 2) {
    machine.put(table, end, args[1])
    return []
  }
  if (args.length !== 3) throw machine.error("wrong number of arguments to 'insert'")
  const at = numberAt(args, 1, machine)
  if (at > end || at < 1) {
    machine.put(table, at, args[2])
    return []
  }
  machine.make(end)
  for (let to = end; to > at; to--) table.set(to, table.get(to - 1))
  table.set(at, args[2])
  return []
}

function remove(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const table = tableAt(args, 0, machine)
  const end = table.length
  const at = numberAt(args, 1, machine, end)
  if (end === 0 || at < 1 || at > end) return [undefined]
  const value = table.get(at)
  machine.make(end)
  for (let from = at; from < end; from++) table.set(from, table.get(from + 1))
  table.set(end, undefined)
  return [value]
}

function concat(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const table = tableAt(args, 0, machine)
  const separator = textAt(args, 1, machine, '')
  const from = numberAt(args, 2, machine, 1)
  const to = numberAt(args, 3, machine, table.length)
  const texts: string[] = []
  for (let at = from; at <= to; at++) {
    machine.step()
    const value = table.get(at)
    if (typeof value !== 'string' && typeof value !== 'number')
      throw machine.error(`invalid value at index ${at} in table for 'concat'`)
    const text = machine.textOf(value)
    machine.make(text.length + separator.length)
    texts.push(text)
  }
  return [texts.join(separator)]
}

function sort(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const table = tableAt(args, 0, machine)
  const order = args[1]
  const isLess = (a: LuaValue, b: LuaValue): boolean =>
    order === undefined ? machine.isLess(a, b) : isTrue(machine.call(order, [a, b])[0])
  machine.make(table.length)
  table.items.sort((a, b) => {
    machine.step()
    return isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0
  })
  return []
}

function largestKey(table: LuaTable): number {
  let largest = 0
  for (const [key] of table.entries()) if (typeof key === 'number' && key > largest) largest = key
  return largest
}

/** `table.*`. */
export const tables: Readonly<Record<string, Builtin>> = {
  insert,
  remove,
  concat,
  sort,
  getn: (args, machine) => [tableAt(args, 0, machine).length],
  maxn: (args, machine) => [largestKey(tableAt(args, 0, machine))],
}
