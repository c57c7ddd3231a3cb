import type { UserInfo } from '../../kube/admission.ts'

/** What somebody wants to do, as authorization sees it: to a resource, or to a path that is none. */
export type Attributes = ResourceAttributes | PathAttributes

export interface ResourceAttributes {
  readonly user: UserInfo
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly subresource?: string
  readonly namespace?: string
  /** Absent when the request is for a collection. */
  readonly name?: string
}

export interface PathAttributes {
  readonly user: UserInfo
  readonly verb: string
  readonly path: string
}

/** Whether it is allowed, and by what; a denial says what was missing. */
export interface Decision {
  readonly allowed: boolean
  readonly because: string
}

/** Decides at once, from rules that are already in memory. */
export type Authorizer = (attributes: Attributes) => Decision

/** The group whose members may do everything, whatever the rules say: the way out of a lockout. */
export const MASTERS = 'system:masters'

/** One sentence that names who may not do what, in the words clients know. */
export function describeDenied(attributes: Attributes): string {
  const who = `User ${JSON.stringify(attributes.user.username)}`
  if ('path' in attributes) return `${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`
  const { verb, plural, subresource, group, namespace } = attributes
  const what = subresource === undefined ? plural : `${plural}/${subresource}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  return `${who} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`
}
