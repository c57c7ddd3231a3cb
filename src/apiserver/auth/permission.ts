import { failure, type Status } from '../../kube/status.ts'
import type { ApiRequest } from '../request.ts'
import { groupResourceText } from '../resources/resource.ts'
import { type Attributes, type Authorizer, describeDenied, type ResourceAttributes } from './attributes.ts'

/** Allows everything: for servers without any rules, such as those of a test. */
export const allowAll: Authorizer = () => ({ allowed: true, because: 'no rules' })

/** A request as authorization sees it. A Namespace is asked for within itself, so that Roles in it can grant it. */
export function attributesOf(request: ApiRequest): ResourceAttributes {
  const { user, group, version, plural, subresource, name } = request
  const namespace = request.namespace || (group === '' && plural === 'namespaces' ? name : undefined)
  return {
    user,
    verb: request.verb === 'connect' ? 'create' : request.verb,
    group,
    version,
    plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  }
}

/** The refusal as a client reads it. */
export function forbidden(attributes: Attributes, because: string): Status {
  const reason = because === '' ? '' : `: ${because}`
  const text = `${describeDenied(attributes)}${reason}`
  if ('path' in attributes) return failure('Forbidden', `forbidden: ${text}`, {})
  const { group, plural, name } = attributes
  const what = `${groupResourceText({ group, plural })}${name === undefined ? '' : ` ${JSON.stringify(name)}`}`
  return failure('Forbidden', `${what} is forbidden: ${text}`, {
    ...(name === undefined ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind: plural,
  })
}
