import type { CommandNode, NumberNode, Operand } from './node.ts'
import { nodeText } from './node.ts'
import type { Eval, Run } from './run.ts'
import { isTrue } from './truth.ts'
import {
  Failure,
  failWith,
  GoFunction,
  GoInt,
  int,
  intOf,
  isMap,
  nilList,
  NIL_MAP,
  type Param,
  type Returns,
  typeName,
  typeOf,
  withType,
} from './value.ts'

/** Stands for "no argument was piped in". */
export const NONE: unique symbol = Symbol('no piped argument')

/** An argument as it is written: constants are converted to what the function declares, the rest is evaluated. */
export interface Argument {
  readonly node: Operand
  readonly evaluate: Eval | undefined
}

const PARAM_NAMES: Readonly<Record<string, string>> = {
  any: 'interface {}',
  value: 'reflect.Value',
  map: 'map[string]interface {}',
  list: '[]interface {}',
}

/** A parameter's type as Go prints it. */
export const paramName = (param: Param): string =>
  PARAM_NAMES[param] ?? (param.startsWith('type ') ? param.slice('type '.length) : param)

const takesNil = (param: Param): boolean =>
  param === 'any' || param === 'value' || param === 'map' || param === 'list' || param.startsWith('type *')

const FITTED: Readonly<Record<string, (value: unknown) => unknown>> = {
  string: (value) => (typeof value === 'string' ? value : undefined),
  bool: (value) => (typeof value === 'boolean' ? value : undefined),
  float64: (value) => (typeof value === 'number' ? value : undefined),
  int: (value) => (value instanceof GoInt && value.type.name === 'int' ? Number(value.value) : undefined),
  int64: (value) => (value instanceof GoInt && value.type.name === 'int64' ? value.value : undefined),
  uint32: (value) => (value instanceof GoInt && value.type.name === 'uint32' ? Number(value.value) : undefined),
  map: (value) => (isMap(value) && typeOf(value)?.elem === undefined ? value : undefined),
  list: (value) => (Array.isArray(value) && typeOf(value)?.elem === undefined ? value : undefined),
}

/** A value as a function gets it, or undefined where its type does not fit. Nil is not handled here. */
function fitted(value: unknown, param: Param): unknown {
  const fit = FITTED[param]
  if (fit) return fit(value)
  return typeName(value) === param.slice('type '.length) ? value : undefined
}

function nilFor(param: Param): unknown {
  if (param === 'map') return withType({}, NIL_MAP)
  if (param === 'list') return nilList()
  return param === 'value' ? undefined : null
}

/** Checks a value against a parameter and converts it to what JavaScript gets. */
export function convert(run: Run, value: unknown, param: Param): unknown {
  if (param === 'value') return value
  if (param === 'any') return value === undefined ? null : value
  if (value === undefined) {
    return takesNil(param) ? nilFor(param) : run.fail(`invalid value; expected ${paramName(param)}`)
  }
  if (value === null) return run.fail(`wrong type for value; expected ${paramName(param)}; got interface {}`)
  const fit = fitted(value, param)
  if (fit !== undefined) return fit
  return run.fail(`wrong type for value; expected ${paramName(param)}; got ${typeName(value)}`)
}

const HEX_INTEGER = /^0[xX][^pP]*$/

/** A number that no declared type shapes: int, float64 or complex128, by how it is written. */
export function idealNumber(node: NumberNode): unknown {
  const { text, int: whole, uint, float, complex } = node.number
  if (complex) return complex
  if (float !== undefined && !HEX_INTEGER.test(text) && !text.startsWith("'") && /[.eEpP]/.test(text)) return float
  if (whole !== undefined) return whole >= 0n && whole < 256n ? int(Number(whole)) : intOf('int', whole)
  return uint === undefined ? undefined : failWith(`${text} overflows int`)
}

function idealConstant(node: Operand): unknown {
  if (node.type === 'number') return idealNumber(node)
  if (node.type === 'bool') return node.value
  return node.type === 'string' ? node.text : undefined
}

/** A constant as the argument of a declared type, or what is wrong with it. */
function constantFor(node: Operand, param: Param): unknown {
  const found = nodeText(node)
  if (node.type === 'nil') return takesNil(param) ? nilFor(param) : failWith(`cannot assign nil to ${paramName(param)}`)
  switch (param) {
    case 'any':
    case 'value':
      return idealConstant(node)
    case 'string':
      return node.type === 'string' ? node.text : failWith(`expected string; found ${found}`)
    case 'bool':
      return node.type === 'bool' ? node.value : failWith(`expected bool; found ${found}`)
    case 'float64':
      return (node.type === 'number' ? node.number.float : undefined) ?? failWith(`expected float; found ${found}`)
    case 'int':
    case 'int64': {
      const whole = node.type === 'number' ? node.number.int : undefined
      if (whole === undefined) return failWith(`expected integer; found ${found}`)
      return param === 'int' ? Number(whole) : whole
    }
    case 'uint32': {
      const whole = node.type === 'number' ? node.number.uint : undefined
      return whole === undefined
        ? failWith(`expected unsigned integer; found ${found}`)
        : Number(BigInt.asUintN(32, whole))
    }
    default:
      return failWith(`can't handle ${found} for arg of type ${paramName(param)}`)
  }
}

type BoundArgument = (run: Run) => unknown

function bindArgument({ node, evaluate }: Argument, param: Param): BoundArgument {
  if (evaluate) {
    return (run) => {
      run.node = node
      return convert(run, evaluate(run), param)
    }
  }
  const constant = constantFor(node, param)
  if (constant instanceof Failure) {
    return (run) => {
      run.node = node
      return run.fail(constant.message)
    }
  }
  return (run) => {
    run.node = node
    return constant
  }
}

const paramAt = (fn: GoFunction, index: number): Param => fn.params[Math.min(index, fn.params.length - 1)] ?? 'any'

function wrap(value: unknown, returns: Returns): unknown {
  if (returns === 'any') return value
  if (typeof value === 'number') return returns === 'int' ? int(value) : intOf(returns, BigInt(Math.trunc(value)))
  return typeof value === 'bigint' ? intOf(returns, BigInt.asIntN(64, value)) : value
}

/** One place where a function is called; remembers the conversions for the function it met last. */
export class CallSite {
  readonly name: string
  readonly args: readonly Argument[]
  /** What messages show when the call fails: the command or the field. */
  private readonly shown: CommandNode | Operand | undefined
  private fn: GoFunction | undefined
  private bound: readonly BoundArgument[] = []

  constructor(name: string, args: readonly Argument[], shown: CommandNode | Operand | undefined) {
    this.name = name
    this.args = args
    this.shown = shown
  }

  private bind(fn: GoFunction): void {
    this.fn = fn
    this.bound = this.args.map((argument, index) => bindArgument(argument, paramAt(fn, index)))
  }

  private checkCount(run: Run, fn: GoFunction, count: number): void {
    const wanted = fn.params.length
    if (fn.isVariadic) {
      if (count < wanted - 1) {
        run.fail(`wrong number of args for ${this.name}: want at least ${wanted - 1} got ${this.args.length}`)
      }
    } else if (count !== wanted) run.fail(`wrong number of args for ${this.name}: want ${wanted} got ${count}`)
  }

  /** Evaluates the arguments and calls. */
  call(run: Run, fn: GoFunction, final: unknown): unknown {
    if (this.fn !== fn) this.bind(fn)
    const { bound } = this
    const count = final === NONE ? bound.length : bound.length + 1
    this.checkCount(run, fn, count)
    const argv: unknown[] = []
    for (const argument of bound) argv.push(argument(run))
    if (final !== NONE) argv.push(convert(run, final, paramAt(fn, count - 1)))
    const value = fn.wantsRun ? fn.call(run, ...argv) : fn.call(...argv)
    return this.settle(run, value, fn.returns)
  }

  private settle(run: Run, value: unknown, returns: Returns): unknown {
    if (value instanceof Failure) {
      if (this.shown) run.node = this.shown
      return run.fail(`error calling ${this.name}: ${value.message}`)
    }
    if (typeof value === 'string' || typeof value === 'object') run.checkSize(value)
    return wrap(value, returns)
  }

  /** `and` and `or`: the first argument that decides; the others are not evaluated. */
  decide(run: Run, fn: GoFunction, final: unknown): unknown {
    if (this.fn !== fn) this.bind(fn)
    this.checkCount(run, fn, final === NONE ? this.bound.length : this.bound.length + 1)
    const isOr = this.name === 'or'
    let value: unknown
    for (const argument of this.bound) {
      value = argument(run)
      if (isTrue(value) === isOr) return value
    }
    return final === NONE ? value : final
  }

  /** `call`: the first argument is the function. */
  callValue(run: Run, fn: GoFunction, final: unknown): unknown {
    if (this.fn !== fn) this.bind(fn)
    this.checkCount(run, fn, final === NONE ? this.bound.length : this.bound.length + 1)
    const [callee, ...argv] = [...this.bound.map((argument) => argument(run)), ...(final === NONE ? [] : [final])]
    const first = this.args[0]
    return this.settle(run, callDynamic(run, first ? nodeText(first.node) : '', callee, argv), 'any')
  }
}

/** Calls a function value with arguments that were evaluated before its type was known. */
function callDynamic(run: Run, name: string, callee: unknown, argv: readonly unknown[]): unknown {
  if (callee === undefined || callee === null) return failWith('call of nil')
  if (!(callee instanceof GoFunction)) return failWith(`non-function ${name} of type ${typeName(callee)}`)
  const wanted = callee.params.length
  if (callee.isVariadic ? argv.length < wanted - 1 : argv.length !== wanted) {
    const want = callee.isVariadic ? `at least ${wanted - 1}` : String(wanted)
    return failWith(`wrong number of args for ${name}: got ${argv.length} want ${want}`)
  }
  const given: unknown[] = []
  for (const [index, value] of argv.entries()) {
    const prepared = prepare(value, paramAt(callee, index))
    if (prepared instanceof Failure) return failWith(`arg ${index}: ${prepared.message}`)
    given.push(prepared)
  }
  const value = callee.wantsRun ? callee.call(run, ...given) : callee.call(...given)
  return value instanceof Failure ? value : wrap(value, callee.returns)
}

function prepare(value: unknown, param: Param): unknown {
  if (param === 'value' || param === 'any') return value === undefined ? null : value
  if (value === undefined || value === null) {
    return takesNil(param) ? nilFor(param) : failWith(`value is nil; should be of type ${paramName(param)}`)
  }
  if (value instanceof GoInt && param === 'int') return Number(value.value)
  if (value instanceof GoInt && param === 'int64') return value.value
  return fitted(value, param) ?? failWith(`value has type ${typeName(value)}; should be ${paramName(param)}`)
}
