import type { KubeObject } from '../../../kube/object.ts'
import { type FieldError, invalid, invalidStatus } from '../../../kube/schema/field-error.ts'
import { type ApiResult, refuse } from '../../../kube/status.ts'
import { formatTime } from '../../../kube/time.ts'
import { isObject } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import { ISSUER, issueToken, type TokenRequest } from '../../auth/service-account-tokens.ts'
import type { Kernel } from '../../kernel.ts'
import { conflict, notFound } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../../request.ts'
import type { ServedResource } from '../../resources/resource.ts'
import { keyOf, prefixOf } from '../../storage/keys.ts'

const HOUR_S = 3_600
const SHORTEST_S = 600
const LONGEST_S = 2 ** 32

/** Issues a token for a ServiceAccount; nothing of it is kept. */
export function token(kernel: Kernel, resource: ServedResource, request: ApiRequest): ApiResponse {
  const name = request.name ?? ''
  const namespace = request.namespace ?? ''
  const { storage } = resource
  if (!kernel.tokenKeys)
    return refused(refuse('ServiceUnavailable', 'this server has no key to sign tokens with').error)
  const account = storage && kernel.store.get(keyOf(storage.prefix, namespace, name))?.value
  if (!account) return refused(notFound(resource, name))
  const body = isObject(request.body) ? request.body : {}
  const spec = isObject(body['spec']) ? body['spec'] : {}
  const wanted = readSpec(kernel, namespace, spec)
  if (!wanted.ok) return refused(wanted.error)
  const { audiences, expirationSeconds, bound } = wanted.value
  const nowMs = kernel.clock.now()
  const text = issueToken(
    kernel.tokenKeys,
    { namespace, serviceAccount: { name, uid: account.metadata.uid ?? '' }, ...wanted.value },
    { nowMs, id: kernel.ids.uid() },
  )
  const object: KubeObject = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: formatTime(nowMs) },
    spec: { audiences, expirationSeconds, boundObjectRef: bound ? (spec['boundObjectRef'] ?? null) : null },
    status: { token: text, expirationTimestamp: formatTime(nowMs + expirationSeconds * 1_000) },
  }
  return { answer: 'object', code: 201, object }
}

type Wanted = Pick<TokenRequest, 'audiences' | 'expirationSeconds' | 'bound'>

function readSpec(kernel: Kernel, namespace: string, spec: Readonly<Record<string, unknown>>): ApiResult<Wanted> {
  const { audiences, boundObjectRef } = spec
  const expirationSeconds = spec['expirationSeconds'] ?? HOUR_S
  const problems: FieldError[] = []
  if (typeof expirationSeconds !== 'number' || expirationSeconds < SHORTEST_S) {
    problems.push(
      invalid('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 10 minutes'),
    )
  } else if (expirationSeconds > LONGEST_S) {
    problems.push(
      invalid('spec.expirationSeconds', expirationSeconds, 'may not specify a duration larger than 2^32 seconds'),
    )
  }
  if (problems.length > 0 || typeof expirationSeconds !== 'number') {
    return { ok: false, error: invalidStatus({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', problems) }
  }
  const named = Array.isArray(audiences) ? audiences.filter((one): one is string => typeof one === 'string') : []
  const base = { audiences: named.length > 0 ? named : [ISSUER], expirationSeconds }
  if (!isObject(boundObjectRef)) return succeed(base)
  const bound = boundTo(kernel, namespace, boundObjectRef)
  return bound.ok ? succeed({ ...base, bound: bound.value }) : bound
}

const bindable: ReadonlyMap<string, 'pod' | 'secret' | 'node'> = new Map([
  ['Pod', 'pod'],
  ['Secret', 'secret'],
  ['Node', 'node'],
])

function boundTo(
  kernel: Kernel,
  namespace: string,
  ref: Readonly<Record<string, unknown>>,
): ApiResult<NonNullable<TokenRequest['bound']>> {
  const { kind, name, uid } = ref
  const known = typeof kind === 'string' ? bindable.get(kind) : undefined
  if (!known || typeof name !== 'string') {
    return refuse(
      'BadRequest',
      `cannot bind token to object of kind ${JSON.stringify(kind)}: use Pod, Secret or Node, and its name`,
    )
  }
  const resource = { group: '', plural: `${known}s` }
  const key = keyOf(prefixOf('', resource.plural), known === 'node' ? undefined : namespace, name)
  const object = kernel.store.get(key)?.value
  if (!object) return { ok: false, error: notFound(resource, name) }
  if (typeof uid === 'string' && uid !== '' && uid !== object.metadata.uid) {
    return {
      ok: false,
      error: conflict(
        resource,
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      ),
    }
  }
  return succeed({ kind: known, to: { name, uid: object.metadata.uid ?? '' } })
}
