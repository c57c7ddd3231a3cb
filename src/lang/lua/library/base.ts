import { toBytes } from '../convert.ts'
import { compile } from '../compile.ts'
import { LuaError, LuaSyntaxError } from '../error.ts'
import type { Machine } from '../machine.ts'
import { parse } from '../parser.ts'
import { isTrue, LuaFunction, LuaTable, type LuaValue, numberOf, typeName } from '../value.ts'
import { type Builtin, numberAt, tableAt, textAt } from './library.ts'

/** Runs a call and catches what the program itself raised; the budget and the stack are nobody's to catch. */
function caught(
  machine: Machine,
  act: () => readonly LuaValue[],
  handle?: (value: LuaValue) => readonly LuaValue[],
): readonly LuaValue[] {
  const { depth } = machine
  try {
    return [true, ...act()]
  } catch (thrown) {
    if (!(thrown instanceof LuaError)) throw thrown
    machine.restore(depth)
    const value = thrown.value as LuaValue // what `error` was given
    return [false, ...(handle ? handle(value) : [value])]
  }
}

function positioned(value: LuaValue, level: number, machine: Machine): LuaValue {
  return typeof value === 'string' && level > 0 ? `${machine.chunk}:${machine.line}: ${value}` : value
}

const nextItem = new LuaFunction('ipairs iterator', ([table, at], machine) => {
  const index = (numberOf(at) ?? 0) + 1
  const value = machine.index(table, index)
  return value === undefined ? [undefined] : [index, value]
})

const nextEntry: Builtin = (args, machine) => {
  machine.step()
  const found = tableAt(args, 0, machine).next(args[1])
  if (found === undefined) throw machine.error("invalid key to 'next'")
  return found.length === 0 ? [undefined] : found
}

const next = new LuaFunction('next', nextEntry)

function parsedIn(text: string, base: number): number | undefined {
  const bare = text.trim().toLowerCase()
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base)
  const isValid =
    /^-?[0-9a-z]+$/.test(bare) && Array.from(bare.replace(/^-/, '')).every((digit) => digits.includes(digit))
  return isValid ? Number.parseInt(bare, base) : undefined
}

const MODULES = new Set(['string', 'table', 'math', 'os'])

/** The functions that are there without a prefix. */
export const base: Readonly<Record<string, Builtin>> = {
  assert(args) {
    if (isTrue(args[0])) return args
    throw new LuaError(args[1] ?? 'assertion failed!')
  },
  error: ([value, level], machine) => {
    throw new LuaError(positioned(value, numberOf(level) ?? 1, machine))
  },
  pcall: ([callee, ...args], machine) => caught(machine, () => machine.call(callee, args)),
  xpcall: ([callee, handler], machine) =>
    caught(
      machine,
      () => machine.call(callee, []),
      (value) => machine.call(handler, [value]),
    ),
  ipairs: (args, machine) => [nextItem, tableAt(args, 0, machine), 0],
  pairs: (args, machine) => [next, tableAt(args, 0, machine), undefined],
  next: nextEntry,
  print: () => [],
  rawequal: ([a, b]) => [a === b],
  rawget: (args, machine) => [tableAt(args, 0, machine).get(args[1])],
  rawset(args, machine) {
    machine.put(tableAt(args, 0, machine), args[1], args[2])
    return [args[0]]
  },
  rawlen: (args, machine) => [typeof args[0] === 'string' ? args[0].length : tableAt(args, 0, machine).length],
  select(args, machine) {
    if (args[0] === '#') return [args.length - 1]
    const at = numberAt(args, 0, machine)
    if (at === 0 || -at >= args.length) throw machine.error('bad argument #1 (index out of range)')
    return at < 0 ? args.slice(at) : args.slice(at)
  },
  setmetatable(args, machine) {
    const table = tableAt(args, 0, machine)
    if (table.metatable?.get('__metatable') !== undefined) throw machine.error('cannot change a protected metatable')
    table.metatable = args[1] === undefined ? undefined : tableAt(args, 1, machine)
    return [table]
  },
  getmetatable([value], machine) {
    const metatable = machine.metatable(value)
    return [metatable?.get('__metatable') ?? metatable]
  },
  tonumber(args, machine) {
    const base = numberAt(args, 1, machine, 10)
    if (base === 10) return [numberOf(args[0])]
    if (base < 2 || base > 36) throw machine.error('bad argument #2 (base out of range)')
    return [parsedIn(textAt(args, 0, machine), base)]
  },
  tostring: ([value], machine) => [machine.textOf(value)],
  type(args, machine) {
    if (args.length === 0) throw machine.error('bad argument #1 (value expected)')
    return [typeName(args[0])]
  },
  unpack(args, machine) {
    const table = tableAt(args, 0, machine)
    const from = numberAt(args, 1, machine, 1)
    const to = numberAt(args, 2, machine, table.length)
    if (to - from > 10_000) throw machine.error('too many results to unpack')
    const values: LuaValue[] = []
    for (let at = from; at <= to; at++) values.push(table.get(at))
    return values
  },
  loadstring(args, machine) {
    const source = textAt(args, 0, machine)
    machine.make(source.length * 10)
    try {
      return [compile(parse(source))()]
    } catch (thrown) {
      if (!(thrown instanceof LuaSyntaxError)) throw thrown
      return [undefined, toBytes(`${textAt(args, 1, machine, 'string')}:${thrown.line}: ${thrown.message}`)]
    }
  },
  require(args, machine) {
    const name = textAt(args, 0, machine)
    const found = MODULES.has(name) ? machine.globals.get(name) : undefined
    if (!(found instanceof LuaTable)) throw machine.error(`module ${name} not found`)
    return [found]
  },
  collectgarbage: () => [0],
}
