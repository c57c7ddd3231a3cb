import { fail, type Result } from '../../lib/result.ts'
import type { EvalRequest } from './ops.ts'

/** What an op with several actions offers; the first is the default. */
export type Actions = readonly (readonly [name: string, run: (request: EvalRequest) => Result<unknown>])[]

/** Runs the action that a request names in `do`. */
export function act(request: EvalRequest, actions: Actions): Result<unknown> {
  const wanted = request['do'] ?? actions[0]?.[0]
  const found = actions.find(([name]) => name === wanted)
  if (found) return found[1](request)
  return fail({
    code: 'eval-action-unknown',
    at: 'do',
    message: `no action is called ${JSON.stringify(wanted)}: use one of ${actions.map(([name]) => name).join(', ')}`,
  })
}
