import type { UserInfo } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, refuse } from '../../kube/status.ts'
import { succeed } from '../../lib/result.ts'
import type { Attributes } from './attributes.ts'
import {
  type AuthenticationPorts,
  authenticate,
  checkServiceAccountToken,
  describeTokenProblem,
} from './authenticate.ts'
import type { RbacAuthorizer } from './authorizer.ts'
import type { PolicyRule } from './rbac.ts'
import { ISSUER, userOfToken } from './service-account-tokens.ts'

/** What the reviews answer from. */
export interface ReviewPorts {
  readonly authorizer: RbacAuthorizer
  readonly authentication: AuthenticationPorts
}

/** One question about who or whether: nothing is stored, the answer is in the status. */
export interface ReviewRequest {
  readonly kind: string
  readonly object: KubeObject
  readonly user: UserInfo
  readonly namespace: string | undefined
}

interface AccessSpec {
  readonly user?: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
  readonly resourceAttributes?: {
    readonly namespace?: string
    readonly verb?: string
    readonly group?: string
    readonly version?: string
    readonly resource?: string
    readonly subresource?: string
    readonly name?: string
  }
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string }
}

/** The kinds that are answered here. */
export const reviewKinds: ReadonlySet<string> = new Set([
  'TokenReview',
  'SelfSubjectReview',
  'SubjectAccessReview',
  'SelfSubjectAccessReview',
  'LocalSubjectAccessReview',
  'SelfSubjectRulesReview',
])

/** Answers a review with the same object and its status. */
export function answerReview(request: ReviewRequest, ports: ReviewPorts): ApiResult<KubeObject> {
  const { kind, object, user } = request
  const answered = (status: unknown): ApiResult<KubeObject> => succeed({ ...object, status })
  switch (kind) {
    case 'TokenReview':
      return answered(tokenStatus(object, ports.authentication))
    case 'SelfSubjectReview':
      return answered({ userInfo: user })
    case 'SelfSubjectRulesReview':
      return answered(rulesStatus(object, user, ports.authorizer))
    default:
      return answerAccess(request, ports)
  }
}

function tokenStatus(object: KubeObject, ports: AuthenticationPorts): unknown {
  const { token = '', audiences } = (object['spec'] ?? {}) as {
    readonly token?: string
    readonly audiences?: readonly string[]
  }
  const fixed = authenticate({ bearer: token }, { ...ports, tokenKeys: { keys: [] } })
  if (fixed.ok) return { authenticated: true, user: fixed.value, ...(audiences ? { audiences } : {}) }
  const wanted = audiences && audiences.length > 0 ? audiences : [ISSUER]
  const checked = checkServiceAccountToken(token, wanted, ports)
  if (!checked.ok) return { authenticated: false, user: {}, error: describeTokenProblem(checked) }
  return {
    authenticated: true,
    user: userOfToken(checked.value),
    audiences: checked.value.aud.filter((audience) => wanted.includes(audience)),
  }
}

function answerAccess(
  { kind, object, user, namespace }: ReviewRequest,
  { authorizer }: ReviewPorts,
): ApiResult<KubeObject> {
  const spec = (object['spec'] ?? {}) as AccessSpec
  const isSelf = kind === 'SelfSubjectAccessReview'
  if ((spec.resourceAttributes === undefined) === (spec.nonResourceAttributes === undefined)) {
    return refuse(
      'Invalid',
      `${kind} is invalid: spec: exactly one of resourceAttributes and nonResourceAttributes must be specified`,
    )
  }
  if (!isSelf && !spec.user && !spec.groups?.length) {
    return refuse('Invalid', `${kind} is invalid: spec.user: at least one of user or group must be specified`)
  }
  if (kind === 'LocalSubjectAccessReview' && spec.resourceAttributes?.namespace !== namespace) {
    return refuse('Invalid', `${kind} is invalid: spec.resourceAttributes.namespace: must match metadata.namespace`)
  }
  const decision = authorizer.authorize(attributesOf(spec, isSelf ? user : subjectOf(spec)))
  return succeed({
    ...object,
    status: { allowed: decision.allowed, ...(decision.because ? { reason: decision.because } : {}) },
  })
}

const subjectOf = ({ user = '', groups = [], uid, extra }: AccessSpec): UserInfo => ({
  username: user,
  groups,
  ...(uid === undefined ? {} : { uid }),
  ...(extra ? { extra } : {}),
})

function attributesOf(spec: AccessSpec, user: UserInfo): Attributes {
  if (spec.nonResourceAttributes) {
    return { user, verb: spec.nonResourceAttributes.verb ?? '', path: spec.nonResourceAttributes.path ?? '' }
  }
  const {
    verb = '',
    group = '',
    version = '',
    resource = '',
    subresource,
    namespace,
    name,
  } = spec.resourceAttributes ?? {}
  return {
    user,
    verb,
    group,
    version,
    plural: resource,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  }
}

function rulesStatus(object: KubeObject, user: UserInfo, authorizer: RbacAuthorizer): unknown {
  const { namespace = '' } = (object['spec'] ?? {}) as { readonly namespace?: string }
  const master: readonly PolicyRule[] = user.groups.includes('system:masters')
    ? [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ]
    : []
  const rules = [...master, ...authorizer.rulesFor(user, namespace)]
  return {
    resourceRules: rules
      .filter((rule) => rule.resources)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames?.length ? { resourceNames } : {}),
      })),
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  }
}
