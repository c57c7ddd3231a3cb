import { BudgetError, EvaluationError, noSuchOverload } from '../error.ts'
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

function candidateOf(overload: Overload): readonly Candidate[] {
  if (!overload.run) return []
  return [{ overload, guards: overload.args.map(guardOf), run: overload.run as (...args: unknown[]) => unknown }]
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
  const candidates = overloads.filter((overload) => overload.args.length === args.length).flatMap(candidateOf)
  const [first, second] = args
  if (args.length === 1 && first) return unaryCall(name, candidates, first, at)
  if (args.length === 2 && first && second) return binaryCall(name, candidates, [first, second], at)
  return (run) => {
    const values = args.map((arg) => arg(run))
    const candidate = candidates.find((each) => fits(each, values))
    if (!candidate) throw located(noSuchOverload(name), at)
    return invoke(run, candidate, values, at)
  }
}

function invoke(run: Run, { overload, run: call }: Candidate, values: readonly unknown[], at: number): unknown {
  if (overload.cost) run.charge(overload.cost(values))
  else run.cost++
  try {
    return call(...values)
  } catch (error) {
    throw error instanceof BudgetError ? error : located(error, at)
  }
}

function unaryCall(name: string, candidates: readonly Candidate[], arg: Node, at: number): Node {
  return (run) => {
    const value = arg(run)
    for (const candidate of candidates) {
      if (!candidate.guards[0]?.(value)) continue
      if (candidate.overload.cost) run.charge(candidate.overload.cost([value]))
      else run.cost++
      try {
        return candidate.run(value)
      } catch (error) {
        throw located(error, at)
      }
    }
    throw located(noSuchOverload(name), at)
  }
}

function binaryCall(
  name: string,
  candidates: readonly Candidate[],
  [left, right]: readonly [Node, Node],
  at: number,
): Node {
  return (run) => {
    const a = left(run)
    const b = right(run)
    for (const candidate of candidates) {
      if (!candidate.guards[0]?.(a) || !candidate.guards[1]?.(b)) continue
      if (candidate.overload.cost) run.charge(candidate.overload.cost([a, b]))
      else run.cost++
      try {
        return candidate.run(a, b)
      } catch (error) {
        throw located(error, at)
      }
    }
    throw located(noSuchOverload(name), at)
  }
}
