import { EvaluationError } from '../error.ts'
import { standardLibrary } from '../library/standard.ts'
import type { Call, Expr } from '../syntax/ast.ts'
import { kindOf } from '../value/kind.ts'
import { CelMap } from '../value/map.ts'

/** A value that is known before anything runs. */
export interface Constant {
  readonly value: unknown
}

const CONVERSIONS = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint'])

/** The value of a literal, of a list or map of constants, or of a conversion of one. They cost nothing, as upstream. */
export function constantOf(expr: Expr): Constant | undefined {
  switch (expr.kind) {
    case 'literal':
      return { value: expr.value }
    case 'list': {
      if (expr.optionals.length > 0) return undefined
      const items = constantsOf(expr.items)
      return items && { value: Object.freeze(items) }
    }
    case 'map': {
      const keys = constantsOf(expr.entries.map((entry) => entry.key))
      const values = constantsOf(expr.entries.map((entry) => entry.value))
      return keys && values && !expr.entries.some((entry) => entry.optional) ? mapOf(keys, values) : undefined
    }
    case 'call':
      return expr.target === undefined && CONVERSIONS.has(expr.name) ? converted(expr) : undefined
    default:
      return undefined
  }
}

function constantsOf(exprs: readonly Expr[]): readonly unknown[] | undefined {
  const values: unknown[] = []
  for (const expr of exprs) {
    const found = constantOf(expr)
    if (!found) return undefined
    values.push(found.value)
  }
  return values
}

/** A map whose keys are wrong is left to fail when it is evaluated. */
function mapOf(keys: readonly unknown[], values: readonly unknown[]): Constant | undefined {
  const map = new CelMap()
  try {
    return keys.every((key, index) => map.add(key, values[index])) ? { value: map } : undefined
  } catch (error) {
    if (error instanceof EvaluationError) return undefined
    throw error
  }
}

/** A conversion that fails is left to fail when it is evaluated. */
function converted(expr: Call): Constant | undefined {
  const [arg] = expr.args
  const value = arg && expr.args.length === 1 ? constantOf(arg) : undefined
  if (!value) return undefined
  const kind = kindOf(value.value)
  const found = standardLibrary.overloads?.find(
    (overload) => overload.name === expr.name && !overload.member && overload.args[0]?.kind === kind,
  )
  try {
    // The overload was chosen by the kind of the value.
    return found?.run && { value: found.run(value.value as never) }
  } catch (error) {
    if (error instanceof EvaluationError) return undefined
    throw error
  }
}
