/** Anything an expression works on: plain data, functions, and objects of the host. */
export type Value = unknown

/** A function of the environment. It fails by throwing an `ExprError`. */
export class ExprFunction {
  readonly call: (...args: readonly Value[]) => Value
  constructor(call: (...args: readonly Value[]) => Value) {
    this.call = call
  }
}

/** An object with methods, such as a time. */
export class ExprObject {
  readonly type: string
  readonly methods: ReadonlyMap<string, (...args: readonly Value[]) => Value>
  /** What it is made of, for operators and equality. */
  readonly inner: unknown
  readonly text: string
  constructor(
    type: string,
    inner: unknown,
    text: string,
    methods: ReadonlyMap<string, (...args: readonly Value[]) => Value>,
  ) {
    this.type = type
    this.inner = inner
    this.text = text
    this.methods = methods
  }
}

/** What is wrong with a program or with what it does; the position is that of the part of the program. */
export class ExprError extends Error {
  position: number | undefined
  constructor(message: string, position?: number) {
    super(message)
    this.position = position
  }
}

/** A program that does more than it may. */
export class ExprBudgetError extends Error {}

export const isNil = (value: Value): value is null | undefined => value === null || value === undefined

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

/** Tells maps from lists, scalars and objects of the host. */
export const isMap = (value: Value): value is Readonly<Record<string, Value>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof ExprObject) &&
  !(value instanceof ExprFunction)

/** The name of a value's type, as messages and `type()` give it. */
export function typeName(value: Value): string {
  if (isNil(value)) return 'nil'
  if (value instanceof ExprObject) return value.type
  if (value instanceof ExprFunction) return 'func'
  if (Array.isArray(value)) return 'array'
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    default:
      return 'map'
  }
}

/** A value as text, as `string()` gives it. */
export function textOf(value: Value): string {
  if (isNil(value)) return '<nil>'
  if (typeof value === 'string') return value
  if (value instanceof ExprObject) return value.text
  if (Array.isArray(value)) return `[${value.map(textOf).join(' ')}]`
  if (isMap(value)) {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
    return `map[${entries.map(([key, item]) => `${key}:${textOf(item)}`).join(' ')}]`
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'func'
}

/** Equality by value, as far as values nest; the depth of data is bounded where it comes in. */
export function isSame(a: Value, b: Value): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b)
  if (a instanceof ExprObject || b instanceof ExprObject) {
    return a instanceof ExprObject && b instanceof ExprObject && a.type === b.type && a.inner === b.inner
  }
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  }
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a)
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
  }
  return a === b
}
