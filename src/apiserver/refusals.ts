import { type FieldError, invalidStatus } from '../kube/schema/field-error.ts'
import { failure, type Status } from '../kube/status.ts'
import { groupResourceText } from './resources/resource.ts'

interface GroupResource {
  readonly group: string
  readonly plural: string
}

const detailsOf = (resource: GroupResource, name: string) => ({
  name,
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind: resource.plural,
})

/** There is no such object. */
export function notFound(resource: GroupResource, name: string): Status {
  return failure(
    'NotFound',
    `${groupResourceText(resource)} ${JSON.stringify(name)} not found`,
    detailsOf(resource, name),
  )
}

/** Nobody serves this path. */
export function pathNotFound(): Status {
  return failure('NotFound', 'the server could not find the requested resource', {})
}

/** The object is there already. */
export function alreadyExists(resource: GroupResource, name: string): Status {
  return failure(
    'AlreadyExists',
    `${groupResourceText(resource)} ${JSON.stringify(name)} already exists`,
    detailsOf(resource, name),
  )
}

/** The object, or what the writer knew of it, has changed meanwhile. */
export function conflict(resource: GroupResource, name: string, because: string): Status {
  return failure(
    'Conflict',
    `Operation cannot be fulfilled on ${groupResourceText(resource)} ${JSON.stringify(name)}: ${because}`,
    detailsOf(resource, name),
  )
}

export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again'

/** The resource is served, but not with this verb. */
export function methodNotAllowed(): Status {
  return failure('MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/** The revision asked for lies in the future. */
export function tooLargeRevision(asked: number, current: number): Status {
  return {
    ...failure('Timeout', `Too large resource version: ${asked}, current: ${current}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    }),
  }
}

/** The revision asked for is no longer kept. */
export function expired(message: string): Status {
  return failure('Expired', message)
}

/** Options that contradict each other or the verb. */
export function invalidOptions(kind: string, problems: readonly FieldError[]): Status {
  return invalidStatus({ group: 'meta.k8s.io', kind }, '', problems)
}
