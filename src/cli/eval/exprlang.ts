import { compileExpr } from '../../lang/exprlang/exprlang.ts'
import { ExprFunction, ExprObject, type Value } from '../../lang/exprlang/value.ts'
import { isDeeperThan } from '../../kube/schema/walk.ts'
import { isObject, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { EvalRequest } from './ops.ts'

/** Deeper data is refused: comparing and printing walk it by recursion. */
const DEEPEST = 500

/** Evaluates an expression of expr-lang: `{expression, env?, now?}` (docs/eval.md). */
export function evaluate({ expression, env, now }: EvalRequest): Result<unknown> {
  if (typeof expression !== 'string') {
    return fail({ code: 'eval-request-invalid', message: 'expression must be a text' })
  }
  if (isDeeperThan(env, DEEPEST)) {
    return fail({ code: 'document-too-deep', at: 'env', message: `env is nested deeper than ${DEEPEST} levels` })
  }
  const compiled = compileExpr(expression)
  if (!compiled.ok) return compiled
  const nowMs = typeof now === 'string' ? Date.parse(now) : Number(now ?? 0)
  const value = compiled.value.run(isObject(env) ? env : {}, { nowMs })
  return value.ok ? succeed(printable(value.value)) : value
}

function printable(value: Value): unknown {
  if (value instanceof ExprObject) return value.text
  if (value instanceof ExprFunction) return 'func'
  if (Array.isArray(value)) return value.map(printable)
  if (!isObject(value)) return value ?? null
  const plain: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setOwn(plain, key, printable(item))
  return plain
}
