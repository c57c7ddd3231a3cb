import { wrongValue } from './error.ts'
import type { Run } from './run.ts'
import { isData, Reference, typeName } from './value.ts'

/** The types that arguments may be declared with. */
export type ArgumentType =
  | 'any'
  | 'number'
  | 'string'
  | 'array'
  | 'object'
  | 'array[number]'
  | 'array[string]'
  | 'expression'

/** A function that expressions can call. Its handler sees arguments of the declared types only. */
export interface JmesPathFunction {
  /** The types of each argument; undefined takes any number of anything. */
  readonly params: readonly (readonly ArgumentType[])[] | undefined
  /** The last parameter takes one argument or more. */
  readonly isVariadic?: boolean
  readonly call: (args: readonly unknown[], run: Run) => unknown
}

export type JmesPathFunctions = ReadonlyMap<string, JmesPathFunction>

function fits(value: unknown, type: ArgumentType): boolean {
  switch (type) {
    case 'any':
      return true
    case 'number':
    case 'string':
      return typeof value === type
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isData(value)
    case 'array[number]':
      return Array.isArray(value) && value.every((item) => typeof item === 'number')
    case 'array[string]':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
    case 'expression':
      return value instanceof Reference
  }
}

/** Calls a function after its arguments were counted and their types compared. */
export function callFunction(name: string, fn: JmesPathFunction, args: readonly unknown[], run: Run): unknown {
  const { params } = fn
  if (!params) return fn.call(args, run)
  const isCountRight = fn.isVariadic ? args.length >= params.length : args.length === params.length
  if (!isCountRight) {
    const wanted = `${fn.isVariadic ? 'at least ' : ''}${params.length}`
    throw wrongValue(`${name}() takes ${wanted} ${params.length === 1 ? 'argument' : 'arguments'}, not ${args.length}`)
  }
  for (let index = 0; index < args.length; index++) {
    const types = params[Math.min(index, params.length - 1)] ?? []
    const value = args[index]
    if (Array.isArray(value)) run.charge(value.length / 4)
    if (types.some((type) => fits(value, type))) continue
    throw wrongValue(`${name}(): argument ${index + 1} must be of type ${types.join(' or ')}, not ${typeName(value)}`)
  }
  return fn.call(args, run)
}
