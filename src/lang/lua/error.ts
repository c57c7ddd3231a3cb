/** A source that is not Lua. */
export class LuaSyntaxError extends Error {
  readonly line: number
  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

/** An error of the program: `pcall` may catch its value. */
export class LuaError extends Error {
  readonly value: unknown
  constructor(value: unknown) {
    super(typeof value === 'string' ? value : 'an error that is not a string')
    this.value = value
  }
}

/** A program that did more than it may; nothing catches it. */
export class LuaBudgetError extends Error {}
