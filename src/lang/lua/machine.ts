import { LuaBudgetError, LuaError } from './error.ts'
import { isTrue, LuaFunction, LuaTable, type LuaValue, numberOf, numberText, typeName } from './value.ts'

/** How much one run may do. */
export interface LuaBudget {
  readonly steps: number
  readonly depth: number
  /** Characters and items that may be made, all together. */
  readonly memory: number
}

export const usualBudget: LuaBudget = { steps: 1_000_000, depth: 150, memory: 20_000_000 }

export type Arithmetic = '+' | '-' | '*' | '/' | '%' | '^'

const events: Readonly<Record<Arithmetic, string>> = {
  '+': '__add',
  '-': '__sub',
  '*': '__mul',
  '/': '__div',
  '%': '__mod',
  '^': '__pow',
}

function calculated(operator: Arithmetic, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      return a - Math.floor(a / b) * b
    case '^':
      return a ** b
  }
}

const CHAIN = 100

/** What one run works with: its budget, its time, its globals; and what operators mean, with metatables. */
export class Machine {
  readonly nowMs: number
  readonly globals: LuaTable = new LuaTable()
  texts: LuaTable | undefined
  /** Where the program is, for messages. */
  line = 0
  readonly chunk: string
  readonly #budget: LuaBudget
  #steps = 0
  #depth = 0
  #made = 0

  constructor(chunk: string, budget: LuaBudget, nowMs: number) {
    this.chunk = chunk
    this.#budget = budget
    this.nowMs = nowMs
  }

  step(): void {
    if (++this.#steps > this.#budget.steps) throw new LuaBudgetError(`it takes more than ${this.#budget.steps} steps`)
  }

  make(size: number): void {
    this.#made += size
    if (this.#made > this.#budget.memory)
      throw new LuaBudgetError(`it makes more than ${this.#budget.memory} characters`)
  }

  /** An error at the present line. */
  error(message: string): LuaError {
    return new LuaError(`${this.chunk}:${this.line}: ${message}`)
  }

  call(callee: LuaValue, args: readonly LuaValue[]): readonly LuaValue[] {
    this.step()
    if (!(callee instanceof LuaFunction)) {
      const handler = this.event(callee, '__call')
      if (handler === undefined) throw this.error(`attempt to call a ${typeName(callee)} value`)
      return this.call(handler, [callee, ...args])
    }
    if (++this.#depth > this.#budget.depth)
      throw new LuaBudgetError(`it calls deeper than ${this.#budget.depth} levels`)
    const { line } = this
    const values = callee.call(args, this)
    this.line = line
    this.#depth--
    return values
  }

  /** How deep calls are; `pcall` puts it back after an error. */
  get depth(): number {
    return this.#depth
  }

  restore(depth: number): void {
    this.#depth = depth
  }

  metatable(value: LuaValue): LuaTable | undefined {
    if (value instanceof LuaTable) return value.metatable
    return typeof value === 'string' ? this.texts : undefined
  }

  event(value: LuaValue, name: string): LuaValue {
    return this.metatable(value)?.get(name)
  }

  index(value: LuaValue, key: LuaValue): LuaValue {
    this.step()
    let at = value
    for (let steps = 0; steps < CHAIN; steps++) {
      if (at instanceof LuaTable) {
        const found = at.get(key)
        if (found !== undefined || !at.metatable) return found
      }
      const handler = this.event(at, '__index')
      if (handler === undefined) {
        if (at instanceof LuaTable) return undefined
        const named = typeof key === 'string' ? ` with key '${key}'` : ''
        throw this.error(`attempt to index a ${typeName(at)} value${named}`)
      }
      if (handler instanceof LuaFunction) return this.call(handler, [at, key])[0]
      at = handler
    }
    throw this.error('loop in gettable')
  }

  setIndex(value: LuaValue, key: LuaValue, to: LuaValue): void {
    this.step()
    let at = value
    for (let steps = 0; steps < CHAIN; steps++) {
      const handler = this.event(at, '__newindex')
      if (at instanceof LuaTable && (handler === undefined || at.get(key) !== undefined)) return this.put(at, key, to)
      if (handler === undefined) {
        const named = typeof key === 'string' ? ` with key '${key}'` : ''
        throw this.error(`attempt to index a ${typeName(at)} value${named}`)
      }
      if (handler instanceof LuaFunction) {
        this.call(handler, [at, key, to])
        return
      }
      at = handler
    }
    throw this.error('loop in settable')
  }

  put(table: LuaTable, key: LuaValue, value: LuaValue): void {
    if (key === undefined) throw this.error('table index is nil')
    if (Number.isNaN(key)) throw this.error('table index is NaN')
    this.make(1)
    table.set(key, value)
  }

  calculate(operator: Arithmetic, a: LuaValue, b: LuaValue): LuaValue {
    const left = numberOf(a)
    const right = numberOf(b)
    if (left !== undefined && right !== undefined) return calculated(operator, left, right)
    const handler = this.event(a, events[operator]) ?? this.event(b, events[operator])
    if (handler !== undefined) return this.call(handler, [a, b])[0]
    throw this.error(`attempt to perform arithmetic on a ${typeName(left === undefined ? a : b)} value`)
  }

  negate(value: LuaValue): LuaValue {
    const number = numberOf(value)
    if (number !== undefined) return -number
    const handler = this.event(value, '__unm')
    if (handler !== undefined) return this.call(handler, [value, value])[0]
    throw this.error(`attempt to perform arithmetic on a ${typeName(value)} value`)
  }

  lengthOf(value: LuaValue): LuaValue {
    if (typeof value === 'string') return value.length
    const handler = this.event(value, '__len')
    if (handler !== undefined) return this.call(handler, [value])[0]
    if (value instanceof LuaTable) return value.length
    throw this.error(`attempt to get length of a ${typeName(value)} value`)
  }

  concat(a: LuaValue, b: LuaValue): LuaValue {
    const isText = (value: LuaValue): value is string | number => typeof value === 'string' || typeof value === 'number'
    if (isText(a) && isText(b)) {
      const text = (typeof a === 'string' ? a : numberText(a)) + (typeof b === 'string' ? b : numberText(b))
      this.make(text.length)
      return text
    }
    const handler = this.event(a, '__concat') ?? this.event(b, '__concat')
    if (handler !== undefined) return this.call(handler, [a, b])[0]
    throw this.error(`attempt to concatenate a ${typeName(isText(a) ? b : a)} value`)
  }

  equals(a: LuaValue, b: LuaValue): boolean {
    if (a === b) return true
    if (!(a instanceof LuaTable) || !(b instanceof LuaTable)) return false
    const handler = this.event(a, '__eq')
    return handler !== undefined && handler === this.event(b, '__eq') && isTrue(this.call(handler, [a, b])[0])
  }

  isLess(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a < b
    if (typeof a === 'string' && typeof b === 'string') return a < b
    return this.#ordered('__lt', a, b)
  }

  isAtMost(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a <= b
    if (typeof a === 'string' && typeof b === 'string') return a <= b
    if (
      this.event(a, '__le') === undefined &&
      this.event(b, '__le') === undefined &&
      this.event(a, '__lt') !== undefined
    )
      return !this.#ordered('__lt', b, a)
    return this.#ordered('__le', a, b)
  }

  #ordered(event: '__lt' | '__le', a: LuaValue, b: LuaValue): boolean {
    const handler = this.event(a, event) ?? this.event(b, event)
    if (handler !== undefined) return isTrue(this.call(handler, [a, b])[0])
    const [left, right] = [typeName(a), typeName(b)]
    throw this.error(
      left === right ? `attempt to compare two ${left} values` : `attempt to compare ${left} with ${right}`,
    )
  }

  textOf(value: LuaValue): string {
    const handler = this.event(value, '__tostring')
    if (handler !== undefined) return this.textOf(this.call(handler, [value])[0])
    if (typeof value === 'string') return value
    if (typeof value === 'number') return numberText(value)
    if (value instanceof LuaTable || value instanceof LuaFunction) return `${typeName(value)}: 0x0`
    return value === undefined ? 'nil' : String(value)
  }
}
