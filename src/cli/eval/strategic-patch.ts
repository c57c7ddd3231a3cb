import { identityUnchanged } from '../../kube/patch/merge-patch.ts'
import {
  applyStrategicPatch,
  createStrategicPatch,
  createThreeWayStrategicPatch,
} from '../../kube/patch/strategic-patch.ts'
import type { Result } from '../../lib/result.ts'
import { act } from './action.ts'
import { documentType } from './document-type.ts'
import type { EvalRequest } from './ops.ts'

/** The op `strategic-patch`. */
export function evaluate(request: EvalRequest): Result<unknown> {
  const asked = request['schema']
  const found = asked === undefined || asked === null ? undefined : documentType(asked)
  if (found?.ok === false) return found
  const schema = found?.value
  const preconditions = request['identity'] === 'unchanged' ? identityUnchanged : []
  return act(request, [
    ['apply', ({ document, patch }) => applyStrategicPatch(document, patch, schema)],
    ['create', ({ original, modified }) => createStrategicPatch(original, modified, schema, preconditions)],
    [
      'create-three-way',
      ({ original, modified, current, overwrite }) =>
        createThreeWayStrategicPatch({
          original,
          modified,
          current,
          schema,
          overwrite: overwrite === true,
          preconditions,
        }),
    ],
  ])
}
