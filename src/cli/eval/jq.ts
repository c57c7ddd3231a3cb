import { compileJq } from '../../lang/jq/jq.ts'
import { type Json, isObject } from '../../lib/json.ts'
import { fail, type Result } from '../../lib/result.ts'
import type { EvalRequest } from './ops.ts'

/** Runs a jq program: `{program, input, variables?, paths?, now?}` (docs/eval.md). The value is the list of its outputs. */
export function evaluate({ program, input, variables, paths, now }: EvalRequest): Result<unknown> {
  if (typeof program !== 'string') return fail({ code: 'eval-request-invalid', message: 'program must be a text' })
  const compiled = compileJq(program)
  if (!compiled.ok) return compiled
  const nowMs = typeof now === 'string' ? Date.parse(now) : Number(now ?? 0)
  const given = isObject(variables) ? (variables as Readonly<Record<string, Json>>) : {} // what JSON.parse read
  const value = (input ?? null) as Json // likewise
  return paths === true
    ? compiled.value.paths(value, { nowMs, variables: given })
    : compiled.value.run(value, { nowMs, variables: given })
}
