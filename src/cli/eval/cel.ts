import type { FieldError } from '../../kube/schema/field-error.ts'
import { readStructural } from '../../kube/schema/structural.ts'
import { isObject, type Json } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { check } from '../../lang/cel/check/checker.ts'
import { parseIn } from '../../lang/cel/cel.ts'
import { estimate } from '../../lang/cel/cost/estimate.ts'
import { Environment } from '../../lang/cel/environment.ts'
import { EvaluationError } from '../../lang/cel/error.ts'
import { libraries } from '../../lang/cel/libraries.ts'
import { type Library, overload, type Overload } from '../../lang/cel/library/library.ts'
import { parseType } from '../../lang/cel/library/signature.ts'
import { Program } from '../../lang/cel/program.ts'
import { type Adapt, adapterOf } from '../../lang/cel/schema/adapt.ts'
import { compileRules } from '../../lang/cel/schema/compile-rules.ts'
import { type Declaration, SchemaTypes } from '../../lang/cel/schema/declare.ts'
import { evaluateRules } from '../../lang/cel/schema/evaluate-rules.ts'
import { printExpr } from '../../lang/cel/syntax/print.ts'
import { type CelType, dynType } from '../../lang/cel/type.ts'
import { runtimeType } from '../../lang/cel/value/kind.ts'
import { checkedJson, exprJson } from '../../lang/cel/wire/expr-json.ts'
import { fromExprValue, toExprValue } from '../../lang/cel/wire/expr-value.ts'
import { renderJson } from '../../lang/cel/wire/render.ts'
import type { EvalRequest } from './ops.ts'

const invalid = (at: string, message: string): Problem => ({ code: 'field-invalid', at, message })

function field<T>(request: EvalRequest, name: string, test: (value: unknown) => value is T): T | undefined {
  const value = request[name]
  if (value === undefined || value === null) return undefined
  if (!test(value)) throw new RequestError(invalid(name, `${name} has the wrong type`))
  return value
}

class RequestError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

const isString = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

function chosenLibraries(request: EvalRequest): readonly Library[] {
  const names = field(request, 'libraries', isList)
  if (!names) return [...libraries.values()].filter((library) => library.name !== 'block')
  return names.map((name) => {
    const library = libraries.get(String(name))
    if (library) return library
    const known = [...libraries.keys()].join(', ')
    throw new RequestError(invalid('libraries', `no library is called ${JSON.stringify(name)}: use some of ${known}`))
  })
}

function declaredTypes(request: EvalRequest, names: Iterable<string>): ReadonlyMap<string, CelType> {
  const types = new Map<string, CelType>()
  for (const name of names) types.set(name, dynType)
  for (const [name, text] of Object.entries(field(request, 'types', isObject) ?? {})) {
    try {
      types.set(name, parseType(String(text)))
    } catch {
      // The parser throws for nothing else.
      throw new RequestError(invalid(`types.${name}`, `cannot read the type ${JSON.stringify(text)}`))
    }
  }
  return types
}

function declaredFunctions(request: EvalRequest): readonly Overload[] {
  return Object.entries(field(request, 'functions', isObject) ?? {}).map(([id, signature]) => {
    try {
      return overload(id, String(signature))
    } catch {
      // The parser throws for nothing else.
      throw new RequestError(invalid(`functions.${id}`, `cannot read the signature ${JSON.stringify(signature)}`))
    }
  })
}

function boundValues(request: EvalRequest): Map<string, unknown> {
  const values = new Map<string, unknown>(Object.entries(field(request, 'variables', isObject) ?? {}))
  for (const [name, json] of Object.entries(field(request, 'bindings', isObject) ?? {})) {
    try {
      values.set(name, fromExprValue(json))
    } catch (error) {
      if (error instanceof EvaluationError) throw new RequestError(invalid(`bindings.${name}`, error.message))
      throw error
    }
  }
  return values
}

/** The variables that are read through a structural schema. */
interface Typed {
  readonly types: SchemaTypes
  readonly declarations: ReadonlyMap<string, Declaration>
  readonly adapters: ReadonlyMap<string, Adapt>
}

function typedVariables(request: EvalRequest): Typed {
  const types = new SchemaTypes()
  const declarations = new Map<string, Declaration>()
  const adapters = new Map<string, Adapt>()
  for (const [name, json] of Object.entries(field(request, 'schemas', isObject) ?? {})) {
    const schema = readStructural(json)
    const declaration = types.declare(`${name}Type`, schema)
    if (!declaration)
      throw new RequestError(invalid(`schemas.${name}`, 'the schema has no type that expressions can see'))
    declarations.set(name, declaration)
    adapters.set(name, adapterOf(schema))
  }
  return { types, declarations, adapters }
}

function environmentOf(request: EvalRequest, values: ReadonlyMap<string, unknown>, typed: Typed): Environment {
  const syntax = field(request, 'syntax', isObject) ?? {}
  const declared = [...typed.declarations].map(([name, { type }]) => [name, type] as const)
  return new Environment({
    messages: typed.types,
    container: field(request, 'container', isString) ?? '',
    libraries: chosenLibraries(request),
    variables: new Map([...declaredTypes(request, values.keys()), ...declared]),
    overloads: declaredFunctions(request),
    syntax: {
      ...(isBoolean(syntax['optionals']) ? { optionalSyntax: syntax['optionals'] } : {}),
      ...(isBoolean(syntax['quotedFields']) ? { quotedFields: syntax['quotedFields'] } : {}),
      ...(isNumber(syntax['maxDepth']) ? { maxDepth: syntax['maxDepth'] } : {}),
    },
  })
}

/** `x-kubernetes-validations` over a value and what it was. */
function runRules(request: EvalRequest): Result<Json> {
  const compiled = compileRules(readStructural(request['schema']), {
    at: 'schema',
    isResourceRoot: field(request, 'root', isBoolean) ?? true,
  })
  if (compiled.problems.length > 0) return fail(...compiled.problems)
  const warnings: FieldError[] = []
  const problems = evaluateRules(compiled, request['value'], request['oldValue'], {
    warn: (problem) => warnings.push(problem),
  })
  const lines = (list: readonly FieldError[]): Json => list.map(({ at, reason, message }) => ({ at, reason, message }))
  return succeed({ problems: lines(problems), warnings: lines(warnings) })
}

function answer(request: EvalRequest): Result<Json> {
  const mode = field(request, 'mode', isString) ?? 'evaluate'
  if (mode === 'rules') return runRules(request)
  const expression = field(request, 'expression', isString)
  if (expression === undefined) return fail(invalid('expression', 'expression must be a string'))
  const values = boundValues(request)
  const typed = typedVariables(request)
  const environment = environmentOf(request, values, typed)
  const ast = parseIn(environment, expression)
  if (!ast.ok) return ast
  if (mode === 'parse') return succeed({ expr: exprJson(ast.value.expr), printed: printExpr(ast.value) })
  const isUnchecked = field(request, 'unchecked', isBoolean) === true && mode === 'evaluate'
  const checked = isUnchecked ? undefined : check(ast.value, environment)
  if (checked && !checked.ok) return checked
  if (mode === 'check' && checked) {
    return succeed({ type: checked.value.type.text, checkedExpr: checkedJson(checked.value) })
  }
  if (mode === 'estimate' && checked) {
    const { min, max } = estimate(checked.value, typed.declarations)
    return succeed({ min, max: Number.isFinite(max) ? max : 'unbounded' })
  }
  if (mode !== 'evaluate') return fail(invalid('mode', 'mode must be one of parse, check, estimate, evaluate, rules'))
  for (const [name, adapt] of typed.adapters) if (values.has(name)) values.set(name, adapt(values.get(name)))
  return run(request, new Program(ast.value, environment), values, checked?.value.type)
}

function run(
  request: EvalRequest,
  program: Program,
  values: ReadonlyMap<string, unknown>,
  type: CelType | undefined,
): Result<Json> {
  const budget = field(request, 'budget', isObject) ?? {}
  const outcome = program.evaluate(values, {
    ...(isNumber(budget['cost']) ? { cost: budget['cost'] } : {}),
    ...(isNumber(budget['steps']) ? { steps: budget['steps'] } : {}),
  })
  if (!outcome.ok) return outcome
  const { value, cost } = outcome.value
  return succeed({
    value: renderJson(value),
    type: runtimeType(value).name,
    cost,
    ...(type ? { staticType: type.text } : {}),
    ...(field(request, 'exact', isBoolean) ? { exprValue: toExprValue(value) } : {}),
  })
}

/** `idp eval cel`: parses, checks or evaluates one expression (docs/eval.md). */
export function evaluate(request: EvalRequest): Result<Json> {
  try {
    return answer(request)
  } catch (error) {
    if (error instanceof RequestError) return fail(error.problem)
    // A value that is nested too deep to be written.
    if (error instanceof RangeError) return fail({ code: 'cel-evaluation-failed', message: error.message })
    throw error
  }
}
