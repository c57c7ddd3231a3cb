import { type Result, succeed } from '../../lib/result.ts'
import { check } from './check/checker.ts'
import type { Environment } from './environment.ts'
import { Program } from './program.ts'
import type { Ast } from './syntax/ast.ts'
import { parse } from './syntax/parser.ts'

/** Parses an expression with the macros and the syntax of an environment. */
export function parseIn(environment: Environment, source: string): Result<Ast> {
  return parse(source, { ...environment.syntax, macros: environment.macros })
}

/** What a compilation may leave out. */
export interface CompileOptions {
  /** Skips the type check, so that mistakes show only when they are met. */
  readonly unchecked?: boolean
}

/** Parses, checks and compiles an expression; the program can be evaluated any number of times. */
export function compile(environment: Environment, source: string, options: CompileOptions = {}): Result<Program> {
  const ast = parseIn(environment, source)
  if (!ast.ok) return ast
  if (!options.unchecked) {
    const checked = check(ast.value, environment)
    if (!checked.ok) return checked
  }
  return succeed(new Program(ast.value, environment))
}
