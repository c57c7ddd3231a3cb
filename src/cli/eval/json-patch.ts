import { createJsonPatch } from '../../kube/patch/json-diff.ts'
import { applyJsonPatch } from '../../kube/patch/json-patch.ts'
import type { Result } from '../../lib/result.ts'
import { act } from './action.ts'
import type { EvalRequest } from './ops.ts'

/** The op `json-patch`. */
export function evaluate(request: EvalRequest): Result<unknown> {
  return act(request, [
    ['apply', ({ document, patch }) => applyJsonPatch(document, patch)],
    ['create', ({ original, modified }) => createJsonPatch(original, modified)],
  ])
}
