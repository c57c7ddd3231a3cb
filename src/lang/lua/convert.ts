import { type Json, setOwn } from '../../lib/json.ts'
import { LuaError } from './error.ts'
import type { Machine } from './machine.ts'
import { LuaFunction, LuaTable, type LuaValue } from './value.ts'

// oxlint-disable-next-line no-control-regex -- exactly the characters that are one byte in UTF-8
const ascii = /^[\u0000-\u007f]*$/

/** A text as Lua keeps it: one character a byte of its UTF-8. */
export const toBytes = (text: string): string =>
  ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')

/** A text of bytes as everybody else keeps it. */
export const fromBytes = (text: string): string =>
  ascii.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8')

const DEEPEST = 500

/** JSON as Lua sees it: null is nil, lists count from 1. */
export function toLua(value: Json, machine: Machine, depth = 0): LuaValue {
  if (value === null) return undefined
  if (typeof value === 'string') return toBytes(value)
  if (typeof value !== 'object') return value
  if (depth > DEEPEST) throw new LuaError(`the value nests deeper than ${DEEPEST} levels`)
  if (Array.isArray(value)) {
    const table = new LuaTable()
    machine.make(value.length)
    for (const [at, item] of (value as readonly Json[]).entries()) table.set(at + 1, toLua(item, machine, depth + 1))
    return table
  }
  const table = new LuaTable(true)
  const entries = Object.entries(value)
  machine.make(entries.length)
  for (const [key, item] of entries) table.set(toBytes(key), toLua(item, machine, depth + 1))
  return table
}

/** A value as JSON: a table whose keys count is a list, an empty one is what it was, or a list. */
export function toJson(value: LuaValue, machine: Machine, depth = 0): Json {
  if (value === undefined) return null
  if (typeof value === 'string') return fromBytes(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new LuaError('a number that is not finite cannot be written as JSON')
    return value
  }
  if (typeof value === 'boolean') return value
  if (value instanceof LuaFunction) throw new LuaError('a function cannot be written as JSON')
  if (depth > DEEPEST) throw new LuaError(`the value nests deeper than ${DEEPEST} levels, or holds itself`)
  const entries = [...value.entries()]
  machine.make(entries.length)
  if (entries.length === 0) return value.isObject ? {} : []
  if (typeof entries[0]?.[0] === 'number') {
    if (entries.length !== value.length) throw new LuaError('a table with gaps or mixed keys cannot be written as JSON')
    return value.items.map((item) => toJson(item, machine, depth + 1))
  }
  const made: Record<string, Json> = {}
  for (const [key, item] of entries) {
    if (typeof key !== 'string') throw new LuaError('a table with mixed keys cannot be written as JSON')
    setOwn(made, fromBytes(key), toJson(item, machine, depth + 1))
  }
  return made
}
