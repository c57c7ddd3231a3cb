import { check } from '../../lang/cel/check/checker.ts'
import { parseIn } from '../../lang/cel/cel.ts'
import { Program } from '../../lang/cel/program.ts'
import type { CelType } from '../../lang/cel/type.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { PolicyEnvironment } from './environment.ts'

/** A compiled expression and the type of what it answers. */
export interface Compiled {
  readonly program: Program
  readonly type: CelType
}

/** The longest expression that is read; none that a person wrote comes near. */
const LONGEST = 100_000

/** Compiles an expression that must answer one of some types; without any, every type will do. */
export function compileExpression(
  { environment }: PolicyEnvironment,
  source: string,
  at: string,
  wanted: readonly CelType[] = [],
): Result<Compiled> {
  if (source.length > LONGEST) {
    return fail({ code: 'cel-syntax', at, message: `the expression is longer than ${LONGEST} characters` })
  }
  const ast = parseIn(environment, source)
  if (!ast.ok) return placed(ast.error, at)
  const checked = check(ast.value, environment)
  if (!checked.ok) return placed(checked.error, at)
  const { type } = checked.value
  if (wanted.length > 0 && !wanted.some((each) => each.equals(type))) {
    const names = wanted.map((each) => each.text).join(' or ')
    return fail({ code: 'cel-type-mismatch', at, message: `output is expected to be of type ${names}` })
  }
  return succeed({ program: new Program(ast.value, environment), type })
}

/** Problems of an expression with the field they are in: `spec.variables[0].expression:1:5`. */
const placed = (problems: readonly Problem[], at: string): { readonly ok: false; readonly error: readonly Problem[] } =>
  fail(...problems.map((problem) => ({ ...problem, at: problem.at === undefined ? at : `${at}:${problem.at}` })))

/** Compiles things one by one and collects what is wrong with any. */
export class Compilation {
  readonly problems: Problem[] = []
  readonly environment: PolicyEnvironment

  constructor(environment: PolicyEnvironment) {
    this.environment = environment
  }

  expression(source: string, at: string, wanted?: readonly CelType[]): Compiled | undefined {
    return this.take(compileExpression(this.environment, source, at, wanted))
  }

  /** The value, or undefined when there is none: then its problems are kept. */
  take<T>(result: Result<T>): T | undefined {
    if (result.ok) return result.value
    this.problems.push(...result.error)
    return undefined
  }

  /** Refuses something. */
  refuse(problem: Problem): void {
    this.problems.push(problem)
  }
}
