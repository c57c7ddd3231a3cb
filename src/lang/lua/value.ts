import { floatText } from '../../lib/go-float.ts'
import type { Machine } from './machine.ts'

/** nil is undefined; a text holds one byte in each of its characters. */
export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction

/** A function, written in Lua or built in: values in, values out. */
export class LuaFunction {
  readonly name: string
  readonly call: (args: readonly LuaValue[], machine: Machine) => readonly LuaValue[]
  constructor(name: string, call: LuaFunction['call']) {
    this.name = name
    this.call = call
  }
}

/** A table: the keys 1, 2, ... lie in an array, the others in a map. */
export class LuaTable {
  metatable: LuaTable | undefined
  /** True if it was made of a JSON object, so that an empty one becomes an object again. */
  readonly isObject: boolean
  readonly items: LuaValue[] = []
  readonly #fields = new Map<LuaValue, LuaValue>()
  #order: readonly LuaValue[] | undefined
  #places: Map<LuaValue, number> | undefined

  constructor(isObject = false) {
    this.isObject = isObject
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number' && key > 0 && key <= this.items.length && Number.isInteger(key))
      return this.items[key - 1]
    return this.#fields.get(key)
  }

  /** Sets a key that is neither nil nor NaN; setting nil takes it away. */
  set(key: LuaValue, value: LuaValue): void {
    if (typeof key === 'number' && this.#setItem(key, value)) return
    const isKnown = this.#fields.has(key)
    if (value === undefined) {
      // The key stays while the table may be walked, so that the walk can go on from it.
      if (isKnown) this.#fields.set(key, undefined)
      return
    }
    if (!isKnown) this.#order = undefined
    this.#fields.set(key, value)
  }

  #setItem(key: number, value: LuaValue): boolean {
    const { items } = this
    if (key > 0 && key <= items.length && Number.isInteger(key)) {
      if (value === undefined && key === items.length) {
        items.pop()
        while (items.length > 0 && items.at(-1) === undefined) items.pop()
        this.#order = undefined
      } else items[key - 1] = value
      return true
    }
    if (key !== items.length + 1 || value === undefined) return false
    items.push(value)
    this.#order = undefined
    this.#fields.delete(key)
    for (let next = key + 1; this.#fields.size > 0 && this.#fields.get(next) !== undefined; next++) {
      items.push(this.#fields.get(next))
      this.#fields.delete(next)
    }
    return true
  }

  /** The border: the number of items before the first nil. */
  get length(): number {
    return this.items.length
  }

  /** The key and value that follow a key in a walk; nothing at the end; undefined if the key is not in the table. */
  next(key: LuaValue): readonly [LuaValue, LuaValue] | readonly [] | undefined {
    if (!this.#order) {
      this.#order = [...this.items.map((_, at) => at + 1), ...this.#fields.keys()]
      this.#places = undefined
    }
    let at = 0
    if (key !== undefined) {
      this.#places ??= new Map(this.#order.map((known, index) => [known, index]))
      const place = this.#places.get(key)
      if (place === undefined) return undefined
      at = place + 1
    }
    for (; at < this.#order.length; at++) {
      const found = this.#order[at]
      const value = this.get(found)
      if (value !== undefined) return [found, value]
    }
    return []
  }

  /** Every key with its value, in the order of a walk. */
  *entries(): Generator<readonly [LuaValue, LuaValue]> {
    for (const [at, value] of this.items.entries()) if (value !== undefined) yield [at + 1, value]
    for (const [key, value] of this.#fields) if (value !== undefined) yield [key, value]
  }
}

export function typeName(value: LuaValue): string {
  if (value === undefined) return 'nil'
  if (value instanceof LuaTable) return 'table'
  if (value instanceof LuaFunction) return 'function'
  return typeof value
}

export const isTrue = (value: LuaValue): boolean => value !== undefined && value !== false

/** A number as gopher-lua writes it: integers in full, others with the fewest digits that say which they are. */
export function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value).toString() : floatText(value)
}

/** The number that a text stands for, if it does. */
export function numberOf(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number(text)
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number(text)
  return /^-0[xX][0-9a-fA-F]+$/.test(text) ? -Number(text.slice(1)) : undefined
}
