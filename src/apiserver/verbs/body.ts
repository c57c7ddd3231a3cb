import { apiVersionOf, parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, failure, refuse, type Status } from '../../kube/status.ts'
import { isObject } from '../../lib/json.ts'
import { succeed } from '../../lib/result.ts'
import type { ApiRequest } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'

/** Collects what the client is told beside the answer; each thing once. */
export class Warnings {
  readonly said: string[] = []

  readonly add = (warning: string): void => {
    if (!this.said.includes(warning)) this.said.push(warning)
  }
}

/** The body of a create or update as an object of the resource's kind. */
export function decodeBody(resource: ServedResource, request: ApiRequest, warnings: Warnings): ApiResult<KubeObject> {
  return decodeObject(resource, request, request.body, warnings)
}

/** Reads any value as an object of the resource's kind, under the request's rules for unknown fields. */
export function decodeObject(
  resource: ServedResource,
  request: ApiRequest,
  value: unknown,
  warnings: Warnings,
): ApiResult<KubeObject> {
  if (!isObject(value)) {
    return refuse(
      'BadRequest',
      `the body of the request is not an object: it must be a ${resource.kind} in JSON or YAML`,
    )
  }
  const identified = withIdentity(resource, value)
  if (!identified.ok) return identified
  const decoded = resource.typing.decode(identified.value)
  if (!decoded.ok) {
    return refuse(
      'BadRequest',
      `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: ${decoded.message}`,
    )
  }
  const problem = tellUnknown(
    request,
    [...(request.bodyProblems ?? []), ...decoded.unknownFields.map(unknownField)],
    warnings,
  )
  if (problem) return { ok: false, error: problem }
  return placed(resource, request, decoded.object)
}

const unknownField = (path: string): string => `unknown field ${JSON.stringify(path)}`

function tellUnknown(request: ApiRequest, problems: readonly string[], warnings: Warnings): Status | undefined {
  if (problems.length === 0) return undefined
  switch (request.options.fieldValidation ?? 'Warn') {
    case 'Strict':
      return failure('BadRequest', `strict decoding error: ${problems.join(', ')}`)
    case 'Warn':
      problems.forEach(warnings.add)
      return undefined
    case 'Ignore':
      return undefined
  }
}

type Fields = Readonly<Record<string, unknown>>

/** The object must claim to be what the path says; what it leaves out is filled in. */
function withIdentity(resource: ServedResource, value: Fields): ApiResult<Fields> {
  const { apiVersion, kind } = value
  const expected = apiVersionOf(resource)
  if (apiVersion !== undefined && apiVersion !== '' && apiVersion !== expected) {
    const isTyped = typeof apiVersion === 'string' && typeof kind === 'string'
    if (isTyped && kind !== '' && kind !== resource.kind) {
      const { group, version } = parseApiVersion(apiVersion)
      return refuse(
        'BadRequest',
        `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersionOf({ group, version }))} at this path: it takes ${expected} ${resource.kind}`,
      )
    }
    return refuse(
      'BadRequest',
      `the API version in the data (${JSON.stringify(apiVersion)}) does not match the expected API version (${expected})`,
    )
  }
  if (kind !== undefined && kind !== '' && kind !== resource.kind) {
    return refuse(
      'BadRequest',
      `${JSON.stringify(kind)} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: the kind in the data does not match the kind of the path`,
    )
  }
  if (resource.definedBy !== undefined && (apiVersion === undefined || kind === undefined)) {
    const missing = kind === undefined ? 'Kind' : 'apiVersion'
    return refuse(
      'BadRequest',
      `error decoding: Object '${missing}' is missing in '${JSON.stringify(value).slice(0, 200)}'`,
    )
  }
  if (apiVersion === expected && kind === resource.kind) return succeed(value)
  return succeed({ ...value, apiVersion: expected, kind: resource.kind })
}

/** The object must live where the path says; a namespace it leaves out is filled in. */
function placed(resource: ServedResource, request: ApiRequest, object: KubeObject): ApiResult<KubeObject> {
  const claimed = object.metadata.namespace
  if (!resource.namespaced) {
    if (claimed === undefined) return succeed(object)
    // What lives in no namespace loses the one that somebody wrote, as upstream (apiserver, registry/rest/meta.go).
    const { namespace: _dropped, ...metadata } = object.metadata
    return succeed({ ...object, metadata })
  }
  if (claimed !== undefined && claimed !== '' && claimed !== request.namespace) {
    return refuse('BadRequest', 'the namespace of the provided object does not match the namespace sent on the request')
  }
  if (claimed === request.namespace || request.namespace === undefined) return succeed(object)
  return succeed({ ...object, metadata: { ...object.metadata, namespace: request.namespace } })
}
