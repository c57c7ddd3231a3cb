import type { AdmissionRequest } from '../../../kube/admission.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { applyJsonPatch } from '../../../kube/patch/json-patch.ts'
import { failure, type Status } from '../../../kube/status.ts'
import { isObject } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'

/** The question that a webhook is asked, in the form all of them read. */
export function reviewOf(request: AdmissionRequest): unknown {
  const { resource, kind, user, object, oldObject, subresource, namespace } = request
  const gvr = { group: resource.group, version: resource.version, resource: resource.plural }
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: request.uid,
      kind,
      resource: gvr,
      ...(subresource === undefined ? {} : { subResource: subresource, requestSubResource: subresource }),
      requestKind: kind,
      requestResource: gvr,
      name: request.name,
      ...(namespace === undefined ? {} : { namespace }),
      operation: request.operation,
      userInfo: {
        username: user.username,
        groups: user.groups,
        ...(user.uid ? { uid: user.uid } : {}),
        ...(user.extra ? { extra: user.extra } : {}),
      },
      object: object ?? null,
      oldObject: oldObject ?? null,
      dryRun: request.dryRun,
      options: Object.keys(request.options).length === 0 ? null : request.options,
    },
  }
}

/** What a webhook answered, checked. */
export interface WebhookAnswer {
  readonly allowed: boolean
  readonly status: { readonly message?: string; readonly reason?: string; readonly code?: number }
  readonly patch: readonly unknown[] | undefined
  readonly warnings: readonly string[]
  readonly auditAnnotations: Readonly<Record<string, string>>
}

const malformed = (because: string): Result<WebhookAnswer> => fail({ code: 'webhook-answer-invalid', message: because })

/** Reads the body of an answer; whatever does not look like one is a problem, not a crash. */
export function parseAnswer(body: unknown, uid: string): Result<WebhookAnswer> {
  if (!isObject(body) || body['kind'] !== 'AdmissionReview') return malformed('the answer is not an AdmissionReview')
  const response = body['response']
  if (!isObject(response)) return malformed('the answer has no response')
  if (response['uid'] !== uid)
    return malformed(`the answer is for request ${JSON.stringify(response['uid'])}, expected ${JSON.stringify(uid)}`)
  const patch =
    response['patch'] === undefined || response['patch'] === null ? succeed(undefined) : decodePatch(response)
  if (!patch.ok) return patch
  const status = isObject(response['status']) ? response['status'] : {}
  return succeed({
    allowed: response['allowed'] === true,
    status,
    patch: patch.value,
    warnings: Array.isArray(response['warnings']) ? response['warnings'].map(String) : [],
    auditAnnotations: isObject(response['auditAnnotations'])
      ? (response['auditAnnotations'] as Readonly<Record<string, string>>)
      : {},
  })
}

function decodePatch(response: Readonly<Record<string, unknown>>): Result<readonly unknown[]> {
  const bad = (message: string): Result<readonly unknown[]> => fail({ code: 'webhook-answer-invalid', message })
  if (response['patchType'] !== 'JSONPatch') return bad('the answer has a patch whose patchType is not JSONPatch')
  if (typeof response['patch'] !== 'string') return bad('the patch is not base64 text')
  try {
    const patch: unknown = JSON.parse(Buffer.from(response['patch'], 'base64').toString('utf8'))
    return Array.isArray(patch) ? succeed(patch) : bad('the patch is not a list')
  } catch (cause) {
    return bad(`the patch is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

/** The object with an answer's patch applied. */
export function applyAnswer(object: KubeObject, patch: readonly unknown[]): Result<KubeObject> {
  const patched = applyJsonPatch(object, patch)
  if (!patched.ok) return patched
  return isObject(patched.value) && isObject(patched.value['metadata'])
    ? succeed(patched.value as unknown as KubeObject)
    : fail({ code: 'webhook-answer-invalid', message: 'the patch leaves no object with metadata' })
}

/** The refusal of a webhook in its own words. */
export function denialOf(webhook: string, { status }: WebhookAnswer): Status {
  const said = status.message ?? status.reason
  const message = `admission webhook ${JSON.stringify(webhook)} denied the request${said ? `: ${said}` : ' without explanation'}`
  const base = failure('Forbidden', message)
  const code = typeof status.code === 'number' && status.code >= 400 ? status.code : base.code
  return { ...base, code }
}

/** A webhook that could not be asked. */
export function callFailure(webhook: string, because: string): Status {
  return failure(
    'InternalError',
    `Internal error occurred: failed calling webhook ${JSON.stringify(webhook)}: ${because}`,
  )
}
