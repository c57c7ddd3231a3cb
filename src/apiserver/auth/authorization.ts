import type { UserInfo } from '../../kube/admission.ts'
import { failure, type Status } from '../../kube/status.ts'
import { groupResourceText } from '../resources/resource.ts'

/** What somebody wants to do: to a resource, or to a path that is none. */
export interface Attributes {
  readonly user: UserInfo
  readonly verb: string
  readonly group: string
  readonly version: string
  /** The plural name; empty for a path. */
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** Set where no resource is asked for, such as `/healthz`. */
  readonly path?: string
}

/** Whether it may happen, and why. */
export interface Decision {
  readonly allowed: boolean
  readonly reason: string
}

/** Decides who may do what. */
export type Authorizer = (attributes: Attributes) => Decision | Promise<Decision>

/** The group whose members may do everything. */
export const MASTERS = 'system:masters'

/** Allows everything to administrators and nothing to others: what a server without further rules does. */
export const mastersOnly: Authorizer = ({ user }) =>
  user.groups.includes(MASTERS)
    ? { allowed: true, reason: '' }
    : { allowed: false, reason: 'no other rules are known to this server' }

/** The refusal as a client reads it. */
export function forbidden(attributes: Attributes, reason: string): Status {
  const { user, verb, group, resource, subresource, namespace, name, path } = attributes
  const who = `User ${JSON.stringify(user.username)}`
  const because = reason === '' ? '' : `: ${reason}`
  if (path !== undefined)
    return failure('Forbidden', `forbidden: ${who} cannot ${verb} path ${JSON.stringify(path)}${because}`, {})
  const target = subresource === '' ? resource : `${resource}/${subresource}`
  const place = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const text = `${groupResourceText({ group, plural: resource })}${name === '' ? '' : ` ${JSON.stringify(name)}`} is forbidden: ${who} cannot ${verb} resource ${JSON.stringify(target)} in API group ${JSON.stringify(group)} ${place}${because}`
  return failure('Forbidden', text, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind: resource,
  })
}
