import { parseApiVersion } from '../../kube/gvk.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { readData } from '../../lib/data-file.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { schemaFromOpenApi } from './openapi-notation.ts'

let builtin: ReturnType<typeof builtinSchemas> | undefined

/** The type that a request names: `{apiVersion, kind}` of a built-in kind, or `{openapi, root}`. */
export function documentType(asked: unknown): Result<Schema> {
  const schema = isObject(asked) ? find(asked) : undefined
  if (schema) return succeed(schema)
  return fail({
    code: 'eval-schema-unknown',
    at: 'schema',
    message:
      'schema must be {"apiVersion", "kind"} of a built-in kind, or {"openapi": a document with definitions or ' +
      'components.schemas, "root": one of its types}',
  })
}

function find(asked: Readonly<Record<string, unknown>>): Schema | undefined {
  const { openapi, root, apiVersion, kind } = asked
  if (typeof root === 'string') return schemaFromOpenApi(openapi, root)
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return undefined
  builtin ??= builtinSchemas(readData)
  return builtin.schemaOf({ ...parseApiVersion(apiVersion), kind })
}
