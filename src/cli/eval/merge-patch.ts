import {
  applyMergePatch,
  createMergePatch,
  createThreeWayMergePatch,
  filterPatch,
  identityUnchanged,
} from '../../kube/patch/merge-patch.ts'
import type { Result } from '../../lib/result.ts'
import { act } from './action.ts'
import type { EvalRequest } from './ops.ts'

/** The op `merge-patch`. */
export function evaluate(request: EvalRequest): Result<unknown> {
  return act(request, [
    ['apply', ({ document, patch }) => applyMergePatch(document, patch)],
    ['create', ({ original, modified }) => createMergePatch(original, modified)],
    [
      'create-three-way',
      ({ original, modified, current, identity }) =>
        createThreeWayMergePatch({
          original,
          modified,
          current,
          preconditions: identity === 'unchanged' ? identityUnchanged : [],
        }),
    ],
    ['removals', ({ patch }) => filterPatch(patch, 'keep')],
    ['additions', ({ patch }) => filterPatch(patch, 'drop')],
  ])
}
