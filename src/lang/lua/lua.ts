import { type Json, type JsonObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { compile } from './compile.ts'
import { fromBytes, toBytes, toJson, toLua } from './convert.ts'
import { LuaBudgetError, LuaError, LuaSyntaxError } from './error.ts'
import { base } from './library/base.ts'
import { libraryOf } from './library/library.ts'
import { math } from './library/math.ts'
import { os } from './library/os.ts'
import { strings } from './library/strings.ts'
import { tables } from './library/tables.ts'
import { type LuaBudget, Machine, usualBudget } from './machine.ts'
import { parse } from './parser.ts'
import { LuaFunction, type LuaValue } from './value.ts'

/** What a run is given. */
export interface LuaOptions {
  /** Global variables; the values are not changed, whatever the program does. */
  readonly globals?: JsonObject
  readonly budget?: LuaBudget
  /** What `os.time()` says; 1970 where nobody says. */
  readonly nowMs?: number
}

/** A compiled program: made once, run many times; nothing is kept between runs. */
export interface LuaProgram {
  /** What the program returns: one value as JSON, null where it returns nothing. */
  run(options?: LuaOptions): Result<Json>
  /** Everything that the program returns. */
  runAll(options?: LuaOptions): Result<readonly Json[]>
}

function guarded<T>(name: string, act: () => T): Result<T> {
  try {
    return succeed(act())
  } catch (thrown) {
    if (thrown instanceof LuaSyntaxError) {
      const message = `${name}:${thrown.line}: ${fromBytes(thrown.message)}`
      return fail({ code: 'lua-syntax', at: String(thrown.line), message })
    }
    if (thrown instanceof LuaError) {
      const said = typeof thrown.value === 'string' ? fromBytes(thrown.value) : thrown.message
      return fail({ code: 'lua-failed', message: `the Lua script failed: ${said}` })
    }
    // The stack is the last of the bounds: a budget of depth cannot know how much of it a caller has left.
    if (thrown instanceof LuaBudgetError || thrown instanceof RangeError)
      return fail({ code: 'lua-budget-exceeded', message: `the Lua script was stopped: ${thrown.message}` })
    throw thrown
  }
}

function machineOf(name: string, { budget = usualBudget, nowMs = 0, globals = {} }: LuaOptions): Machine {
  const machine = new Machine(name, budget, nowMs)
  const texts = libraryOf(strings, 'string.')
  const all: readonly (readonly [string, LuaValue])[] = [
    ...Object.entries(base).map(([key, call]): readonly [string, LuaValue] => [key, new LuaFunction(key, call)]),
    ['string', texts],
    ['table', libraryOf(tables, 'table.')],
    ['math', libraryOf(math, 'math.')],
    ['os', libraryOf(os, 'os.')],
    ['_G', machine.globals],
    ['_VERSION', 'Lua 5.1'],
  ]
  for (const [key, value] of all) machine.globals.set(key, value)
  const constants = machine.globals.get('math')
  machine.setIndex(constants, 'pi', Math.PI)
  machine.setIndex(constants, 'huge', Infinity)
  machine.texts = libraryOf({}, '')
  machine.texts.set('__index', texts)
  for (const [key, value] of Object.entries(globals)) machine.globals.set(toBytes(key), toLua(value, machine))
  return machine
}

/** Compiles a program; the name is what its messages begin with. */
export function compileLua(source: string, name = 'script'): Result<LuaProgram> {
  const compiled = guarded(name, () => compile(parse(toBytes(source))))
  if (!compiled.ok) return compiled
  const runAll = (options: LuaOptions = {}): Result<readonly Json[]> =>
    guarded(name, () => {
      const machine = machineOf(name, options)
      return machine.call(compiled.value(), []).map((value) => toJson(value, machine))
    })
  return succeed({
    runAll,
    run(options) {
      const all = runAll(options)
      return all.ok ? succeed(all.value[0] ?? null) : all
    },
  })
}
