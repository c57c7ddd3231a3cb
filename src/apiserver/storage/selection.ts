import type { KubeObject } from '../../kube/object.ts'
import {
  type FieldRequirement,
  type LabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../../kube/selector.ts'
import { type ApiResult, refuse } from '../../kube/status.ts'
import { succeed } from '../../lib/result.ts'
import type { RequestOptions } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'

/** Which objects of a collection a request means. */
export interface Selection {
  /** Undefined where everything is meant, so that nobody need ask per object. */
  readonly matches: ((object: KubeObject) => boolean) | undefined
  /** Set where the request names one object, so that its key is read and not the collection. */
  readonly name?: string
}

/** Compiles the selectors of a request for a resource; a field that cannot be selected by is refused. */
export function selectionOf(
  resource: ServedResource,
  options: RequestOptions,
  requestName?: string,
): ApiResult<Selection> {
  const labels = options.labelSelector ? parseLabelSelector(options.labelSelector) : succeed<LabelSelector>([])
  if (!labels.ok) return refuse('BadRequest', labels.error[0]?.message ?? 'unable to parse the label selector')
  const fields = options.fieldSelector
    ? parseFieldSelector(options.fieldSelector)
    : succeed<readonly FieldRequirement[]>([])
  if (!fields.ok) return refuse('BadRequest', fields.error[0]?.message ?? 'unable to parse the field selector')
  for (const { field } of fields.value) {
    if (isSelectable(resource, field)) continue
    const id = `${resource.group === '' ? '' : `${resource.group}/`}${resource.version}, Resource=${resource.plural}`
    const asked = `label selector ${JSON.stringify(options.labelSelector ?? '')}, field selector ${JSON.stringify(options.fieldSelector ?? '')}`
    return refuse(
      'BadRequest',
      `Unable to find ${JSON.stringify(id)} that match ${asked}: field label not supported: ${field}`,
    )
  }
  const terms = requestName === undefined ? fields.value : [...fields.value, named(requestName)]
  const name = terms.find(({ field, isEqual }) => field === 'metadata.name' && isEqual)?.value
  const hasLabels = labels.value.length > 0
  const matches =
    !hasLabels && terms.length === 0
      ? undefined
      : (object: KubeObject): boolean =>
          (!hasLabels || matchesLabels(labels.value, object.metadata.labels)) &&
          (terms.length === 0 || matchesFields(terms, (field) => fieldOf(resource, object, field)))
  return succeed({ matches, ...(name === undefined ? {} : { name }) })
}

const named = (value: string): FieldRequirement => ({ field: 'metadata.name', isEqual: true, value })

function isSelectable(resource: ServedResource, field: string): boolean {
  return field === 'metadata.name' || field === 'metadata.namespace' || resource.fields.has(field)
}

function fieldOf(resource: ServedResource, object: KubeObject, field: string): string | undefined {
  if (field === 'metadata.name') return object.metadata.name
  if (field === 'metadata.namespace') return object.metadata.namespace
  return resource.fields.get(field)?.(object)
}
