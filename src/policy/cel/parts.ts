import { boolType, dynType, nullType, stringType } from '../../lang/cel/type.ts'
import type { Program } from '../../lang/cel/program.ts'
import { type Evaluated, type Evaluation } from './evaluation.ts'
import type { Compilation } from './expression.ts'

/** `{ name, expression }`, as conditions and variables are written. */
export interface Named {
  readonly name: string
  readonly expression: string
}

export interface AuditAnnotation {
  readonly key: string
  readonly valueExpression: string
}

export interface Condition {
  readonly name: string
  readonly expression: string
  readonly program: Program
}

export function compileConditions(
  compilation: Compilation,
  conditions: readonly Named[] | undefined,
  at: string,
): readonly Condition[] {
  return (conditions ?? []).flatMap(({ name, expression }, index) => {
    const compiled = compilation.expression(expression, `${at}[${index}].expression`, [boolType])
    return compiled ? [{ name, expression, program: compiled.program }] : []
  })
}

/** Compiles variables in their order: each may speak of those before it. */
export function compileVariables(
  compilation: Compilation,
  variables: readonly Named[] | undefined,
  at: string = 'spec.variables',
): ReadonlyMap<string, Program> {
  const programs = new Map<string, Program>()
  for (const [index, { name, expression }] of (variables ?? []).entries()) {
    const compiled = compilation.expression(expression, `${at}[${index}].expression`)
    if (!compiled) continue
    compilation.environment.types.declareVariable(name, compiled.type)
    programs.set(name, compiled.program)
  }
  return programs
}

export function compileAnnotations(
  compilation: Compilation,
  annotations: readonly AuditAnnotation[] | undefined,
  at: string = 'spec.auditAnnotations',
): ReadonlyMap<string, Program> {
  const programs = new Map<string, Program>()
  for (const [index, { key, valueExpression }] of (annotations ?? []).entries()) {
    const place = `${at}[${index}].valueExpression`
    const compiled = compilation.expression(valueExpression, place, [stringType, nullType, dynType])
    if (compiled) programs.set(key, compiled.program)
  }
  return programs
}

/** All must hold. One that does not hold outweighs one that has no value. */
export function conditionsHold(conditions: readonly Condition[], evaluation: Evaluation): Evaluated<boolean> {
  const failures: string[] = []
  for (const { program, expression } of conditions) {
    const result = evaluation.evaluate(program)
    if (!result.ok) failures.push(`expression '${expression.trim()}' resulted in error: ${result.because}`)
    else if (result.value !== true) return { ok: true, value: false }
  }
  return failures.length > 0 ? { ok: false, because: failures.join('; ') } : { ok: true, value: true }
}

/** The audit annotations that have something to say. */
export function annotationsOf(
  annotations: ReadonlyMap<string, Program>,
  evaluation: Evaluation,
): Evaluated<Readonly<Record<string, string>>> {
  const entries: [string, string][] = []
  for (const [key, program] of annotations) {
    const result = evaluation.evaluate(program)
    if (!result.ok) return { ok: false, because: `failed to evaluate auditAnnotation '${key}': ${result.because}` }
    if (typeof result.value === 'string' && result.value !== '') entries.push([key, result.value])
  }
  return { ok: true, value: Object.fromEntries(entries) }
}
