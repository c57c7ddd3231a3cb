import { compileLua } from '../../lang/lua/lua.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { fail, type Result } from '../../lib/result.ts'
import type { EvalRequest } from './ops.ts'

/** Runs a Lua script: `{script, globals?, now?}` (docs/eval.md). The value is what it returns. */
export function evaluate({ script, globals, now }: EvalRequest): Result<unknown> {
  if (typeof script !== 'string') return fail({ code: 'eval-request-invalid', message: 'script must be a text' })
  const compiled = compileLua(script)
  if (!compiled.ok) return compiled
  const nowMs = typeof now === 'string' ? Date.parse(now) : Number(now ?? 0)
  const given = isObject(globals) ? (globals as JsonObject) : {} // what JSON.parse read
  return compiled.value.run({ nowMs, globals: given })
}
