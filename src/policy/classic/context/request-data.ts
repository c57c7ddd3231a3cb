import type { PolicyRequest } from '../../engine/policy-request.ts'
import { subjectOf } from '../../engine/policy-request.ts'
import type { Evaluation } from '../evaluation.ts'
import type { Fields } from '../read.ts'
import { withDotted } from './dotted.ts'
import { imagesOf } from './image.ts'
import { Scope } from './scope.ts'

const ACCOUNT = 'system:serviceaccount:'
const known = new WeakMap<PolicyRequest, Fields>()

/** What variables see of a request before any context was loaded. */
export function requestData(request: PolicyRequest): Fields {
  let data = known.get(request)
  if (!data) known.set(request, (data = build(request)))
  return data
}

function build(request: PolicyRequest): Fields {
  const { user, object, oldObject, values } = request
  const isKnownUser = request.source === 'admission' || user.username !== '' || user.groups.length > 0
  const hasUser = isKnownUser || user.roles.length > 0 || user.clusterRoles.length > 0
  const data: Fields = {
    request: {
      ...(request.source === 'admission' ? admissionFacts(request) : {}),
      operation: request.operation,
      namespace: request.namespace ?? '',
      ...(object ? { object } : {}),
      ...(oldObject ? { oldObject } : {}),
      ...(hasUser ? userFacts(request) : {}),
    },
    ...(hasUser ? accountFacts(user.username) : {}),
  }
  return values ? withDotted(data, values) : data
}

function admissionFacts({ uid, kind, resource, subresource, name, dryRun, options }: PolicyRequest): Fields {
  const { group, version, plural } = resource ?? { group: kind.group, version: kind.version, plural: '' }
  const collection = { group, version, resource: plural }
  return {
    uid: uid ?? '',
    kind: { ...kind },
    resource: collection,
    requestKind: { ...kind },
    requestResource: collection,
    ...(subresource ? { subResource: subresource, requestSubResource: subresource } : {}),
    name,
    dryRun: dryRun === true,
    options: options ?? null,
  }
}

function userFacts({ user }: PolicyRequest): Fields {
  const { username, uid, groups, extra, roles, clusterRoles } = user
  const userInfo = { username, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) }
  return { userInfo, roles, clusterRoles }
}

function accountFacts(username: string): Fields {
  const [namespace = '', name = ''] = username.startsWith(ACCOUNT) ? username.slice(ACCOUNT.length).split(':') : []
  return { serviceAccountName: name, serviceAccountNamespace: name === '' ? '' : namespace }
}

/** The outermost scope of a rule. */
export function requestScope(evaluation: Evaluation): Scope {
  const { request } = evaluation
  const scope = new Scope(evaluation, requestData(request))
  const subject = subjectOf(request)
  if (subject) scope.defer('images', () => imagesOf(subject, evaluation))
  return scope
}
