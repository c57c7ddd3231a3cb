import { EvaluationError, noSuchOverload } from '../error.ts'
import type { Overload } from '../library/library.ts'
import type { CelType } from '../type.ts'
import { CelObject } from '../value/boxed.ts'
import { isInt } from '../value/integer.ts'
import { kindOf } from '../value/kind.ts'
import type { Node, Run } from './run.ts'

type Guard = (value: unknown) => boolean

const always: Guard = () => true

/** A test whether a value can be what an overload declares. */
function guardOf(type: CelType): Guard {
  switch (type.kind) {
    case 'dyn':
    case 'any':
    case 'param':
    case 'error':
      return always
    case 'string':
      return (value) => typeof value === 'string'
    case 'int':
      return isInt
    case 'bool':
      return (value) => typeof value === 'boolean'
    case 'struct':
    case 'opaque':
      if (type.name === 'optional_type') return (value) => kindOf(value) === 'optional'
      return (value) => value instanceof CelObject && value.type.name === type.name
    case 'wrapper':
      return (value) => value === null || kindOf(value) === type.name
    default: {
      const kind = type.kind
      return (value) => kindOf(value) === kind
    }
  }
}

interface Candidate {
  readonly overload: Overload
  readonly guards: readonly Guard[]
  // Guards have looked at every argument before this is called.
  readonly run: (...args: unknown[]) => unknown
}

const candidates = new WeakMap<Overload, Candidate>()

function candidateOf(overload: Overload): readonly Candidate[] {
  if (!overload.run) return []
  const known = candidates.get(overload)
  if (known) return [known]
  const made = { overload, guards: overload.args.map(guardOf), run: overload.run as (...args: unknown[]) => unknown }
  candidates.set(overload, made)
  return [made]
}

/** Adds the place to an error that has none. */
function located(error: unknown, at: number): unknown {
  if (error instanceof EvaluationError) error.at ??= at
  return error
}

const fits = ({ guards }: Candidate, args: readonly unknown[]): boolean =>
  guards.every((guard, index) => guard(args[index]))

/** A call of a function: the first overload that takes the values runs. */
export function callNode(name: string, overloads: readonly Overload[], args: readonly Node[], at: number): Node {
  const fitting = overloads.filter((overload) => overload.args.length === args.length).flatMap(candidateOf)
  const [first, second] = args
  if (args.length === 1 && first) return unaryCall(name, fitting, first, at)
  if (args.length === 2 && first && second) return binaryCall(name, fitting, [first, second], at)
  return (run) => {
    const values = args.map((arg) => arg(run))
    const candidate = fitting.find((each) => fits(each, values))
    if (!candidate) throw located(noSuchOverload(name), at)
    return invoke(run, candidate, values, at)
  }
}

function charge(run: Run, { cost }: Overload, values: readonly [unknown, unknown?, unknown?]): void {
  if (cost) run.charge(cost(values[0], values[1], values[2]))
  else run.cost++
}

function invoke(run: Run, { overload, run: call }: Candidate, values: readonly unknown[], at: number): unknown {
  charge(run, overload, [values[0], values[1], values[2]])
  try {
    return call(...values)
  } catch (error) {
    throw located(error, at)
  }
}

function unaryCall(name: string, fitting: readonly Candidate[], arg: Node, at: number): Node {
  return (run) => {
    const value = arg(run)
    for (const { guards, overload, run: call } of fitting) {
      if (!guards[0]?.(value)) continue
      if (overload.cost) run.charge(overload.cost(value, undefined, undefined))
      else run.cost++
      try {
        return call(value)
      } catch (error) {
        throw located(error, at)
      }
    }
    throw located(noSuchOverload(name), at)
  }
}

const isTextOnly = ({ overload }: Candidate): boolean => overload.args.every((type) => type.kind === 'string')

function binaryCall(
  name: string,
  fitting: readonly Candidate[],
  [left, right]: readonly [Node, Node],
  at: number,
): Node {
  const [only] = fitting
  if (only && fitting.length === 1 && isTextOnly(only)) return textCall(name, only, [left, right], at)
  return (run) => {
    const a = left(run)
    const b = right(run)
    for (const { guards, overload, run: call } of fitting) {
      if (!guards[0]?.(a) || !guards[1]?.(b)) continue
      if (overload.cost) run.charge(overload.cost(a, b, undefined))
      else run.cost++
      try {
        return call(a, b)
      } catch (error) {
        throw located(error, at)
      }
    }
    throw located(noSuchOverload(name), at)
  }
}

/** The common case of a function of two texts, such as `startsWith`. */
function textCall(
  name: string,
  { overload, run: call }: Candidate,
  [left, right]: readonly [Node, Node],
  at: number,
): Node {
  const cost = overload.cost
  return (run) => {
    const a = left(run)
    const b = right(run)
    if (typeof a !== 'string' || typeof b !== 'string') throw located(noSuchOverload(name), at)
    run.charge(cost ? cost(a, b, undefined) : 1)
    try {
      return call(a, b)
    } catch (error) {
      throw located(error, at)
    }
  }
}
