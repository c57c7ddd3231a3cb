import { isObject } from '../../../lib/json.ts'
import { type FieldError, required } from '../../schema/field-error.ts'
import type { Schema } from '../../schema/schema.ts'
import { perKey, Trail } from '../../schema/walk.ts'
import type { Fields } from '../defaulting.ts'

interface Walk {
  readonly trail: Trail
  readonly problems: FieldError[]
}

type Check = (value: unknown, walk: Walk) => void

/** Fields that the types call required and the API server does without. */
const optional: ReadonlySet<string> = new Set([
  'io.k8s.api.admissionregistration.v1.MutatingWebhook.admissionReviewVersions',
  'io.k8s.api.admissionregistration.v1.ValidatingWebhook.admissionReviewVersions',
  'io.k8s.api.core.v1.Event.metadata',
  'io.k8s.api.core.v1.HTTPHeader.value',
  'io.k8s.api.core.v1.LimitRangeSpec.limits',
  'io.k8s.api.discovery.v1.EndpointSlice.endpoints',
  'io.k8s.api.networking.v1.ServiceBackendPort.number',
  'io.k8s.api.rbac.v1.ClusterRole.rules',
  'io.k8s.api.rbac.v1.Role.rules',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames.kind',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames.plural',
])

/** Go cannot tell a missing number or flag from its zero, and a missing struct is an empty one. */
const canBeMissed = (node: Schema): boolean =>
  (node.type === 'string' || node.type === 'array' || node.intOrString === true) && node.default === undefined

const checkOf: (schema: Schema) => Check = perKey((schema: Schema) => compile(schema))

function compile(schema: Schema): Check {
  const names = (schema.required ?? []).filter((name) => {
    const node = schema.properties?.get(name)
    return node !== undefined && canBeMissed(node) && !optional.has(`${schema.definition ?? ''}.${name}`)
  })
  const properties = new Map([...(schema.properties ?? [])].map(([name, node]) => [name, checkOf(node)]))
  const items = schema.items && checkOf(schema.items)
  const more = isObject(schema.additionalProperties) ? checkOf(schema.additionalProperties) : undefined
  return (value, walk) => {
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) {
      if (items) for (let at = 0; at < value.length; at++) visit(at, value[at], items, walk)
      return
    }
    const fields = value as Fields
    for (const name of names) if (isMissing(fields, name)) walk.problems.push(required(walk.trail.child(name)))
    for (const name in fields) visit(name, fields[name], properties.get(name) ?? more, walk)
  }
}

const isMissing = (fields: Fields, name: string): boolean =>
  !Object.hasOwn(fields, name) || fields[name] === undefined || fields[name] === ''

function visit(step: string | number, value: unknown, check: Check | undefined, walk: Walk): void {
  if (!check || typeof value !== 'object' || value === null) return
  walk.trail.push(step)
  check(value, walk)
  walk.trail.pop()
}

/** Names every required field that is missing below a part of an object; a status is its controller's affair. */
export function checkMandatory(object: Fields, schema: Schema): readonly FieldError[] {
  const walk: Walk = { trail: new Trail(), problems: [] }
  const { status: _status, metadata: _metadata, ...rest } = object
  checkOf(schema)(rest, walk)
  return walk.problems
}
