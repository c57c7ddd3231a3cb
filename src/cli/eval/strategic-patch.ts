import { identityUnchanged } from '../../kube/patch/merge-patch.ts'
import {
  applyStrategicPatch,
  createStrategicPatch,
  createThreeWayStrategicPatch,
} from '../../kube/patch/strategic-patch.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { act } from './action.ts'
import { schemaFromOpenApi } from './openapi-notation.ts'
import type { EvalRequest } from './ops.ts'

/** The op `strategic-patch`. */
export function evaluate(request: EvalRequest): Result<unknown> {
  const found = schemaOf(request)
  if (!found.ok) return found
  const schema = found.value
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

/** The type of the documents: `schema` = `{openapi, root}`; without it everything merges like JSON. */
function schemaOf(request: EvalRequest): Result<Schema | undefined> {
  const asked = request['schema']
  if (asked === undefined || asked === null) return succeed(undefined)
  const root = isObject(asked) ? asked['root'] : undefined
  const schema = isObject(asked) && typeof root === 'string' ? schemaFromOpenApi(asked['openapi'], root) : undefined
  if (schema) return succeed(schema)
  return fail({
    code: 'eval-schema-unknown',
    at: 'schema',
    message: 'schema must be {"openapi": a document with definitions or components.schemas, "root": one of its types}',
  })
}
