import { Buffer } from 'node:buffer'
import type { AdmissionRequest, Mutation, UserInfo, Verdict } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { createJsonPatch } from '../../kube/patch/json-diff.ts'
import { attempt, refuseDeep } from '../../kube/patch/refusal.ts'
import type { Status } from '../../kube/status.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'

type Fields = Readonly<Record<string, unknown>>

const API_VERSION = 'admission.k8s.io/v1'
const operations: readonly string[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']

const invalid = (at: string, message: string): Result<never> => fail({ code: 'admission-review-invalid', at, message })
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

/** Reads the question of an API server (AdmissionReview v1); whatever else somebody sends is a problem with its place. */
export function readReview(text: string): Result<AdmissionRequest> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return invalid('', 'the body is not JSON')
  }
  const shallow = attempt(() => refuseDeep(body))
  if (!shallow.ok) return shallow
  if (!isObject(body) || body['kind'] !== 'AdmissionReview')
    return invalid('kind', 'the body is not an AdmissionReview')
  if (body['apiVersion'] !== API_VERSION) return invalid('apiVersion', `only ${API_VERSION} is understood`)
  const request = body['request']
  return isObject(request) ? readRequest(request) : invalid('request', 'there is no request')
}

function readRequest(fields: Fields): Result<AdmissionRequest> {
  const { uid, operation } = fields
  if (typeof uid !== 'string' || uid === '') return invalid('request.uid', 'it is missing')
  if (!isOperation(operation)) return invalid('request.operation', `it must be one of ${operations.join(', ')}`)
  const kind = fieldsOf(fields['kind'])
  const resource = fieldsOf(fields['resource'])
  if (textOf(kind['kind']) === '') return invalid('request.kind', 'it names no kind')
  if (textOf(resource['resource']) === '') return invalid('request.resource', 'it names no resource')
  const object = readObject(fields['object'], 'request.object')
  if (!object.ok) return object
  const oldObject = readObject(fields['oldObject'], 'request.oldObject')
  if (!oldObject.ok) return oldObject
  const namespace = textOf(fields['namespace'])
  const subresource = textOf(fields['subResource'])
  return succeed({
    uid,
    operation,
    kind: { group: textOf(kind['group']), version: textOf(kind['version']), kind: textOf(kind['kind']) },
    resource: {
      group: textOf(resource['group']),
      version: textOf(resource['version']),
      plural: textOf(resource['resource']),
    },
    ...(subresource === '' ? {} : { subresource }),
    ...(namespace === '' ? {} : { namespace }),
    name: textOf(fields['name']),
    user: readUser(fieldsOf(fields['userInfo'])),
    dryRun: fields['dryRun'] === true,
    options: fieldsOf(fields['options']) as JsonObject, // it was parsed from JSON
    ...(object.value ? { object: object.value } : {}),
    ...(oldObject.value ? { oldObject: oldObject.value } : {}),
  })
}

const isOperation = (value: unknown): value is AdmissionRequest['operation'] =>
  typeof value === 'string' && operations.includes(value)

/** What is asked about; the options of a connection come without metadata. */
function readObject(value: unknown, at: string): Result<KubeObject | undefined> {
  if (value === undefined || value === null) return succeed(undefined)
  if (!isObject(value)) return invalid(at, 'it is not an object')
  const { apiVersion, kind, metadata = {} } = value
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return invalid(at, 'it has no apiVersion and kind')
  if (!isObject(metadata)) return invalid(`${at}.metadata`, 'it is not an object')
  return succeed({ ...value, apiVersion, kind, metadata })
}

function readUser(fields: Fields): UserInfo {
  const uid = textOf(fields['uid'])
  const extra = Object.entries(fieldsOf(fields['extra'])).map(([key, value]) => [key, textsOf(value)] as const)
  return {
    username: textOf(fields['username']),
    ...(uid === '' ? {} : { uid }),
    groups: textsOf(fields['groups']),
    ...(extra.length > 0 ? { extra: Object.fromEntries(extra) } : {}),
  }
}

/** The answer to a question, in the form that API servers read: a change is told as a patch. */
export function answerTo(request: AdmissionRequest, verdict: Mutation | Verdict): Result<JsonObject> {
  const { uid } = request
  const patch = verdict.allowed && 'object' in verdict ? createJsonPatch(request.object, verdict.object) : succeed([])
  if (!patch.ok) return patch
  const annotations = verdict.allowed && 'auditAnnotations' in verdict ? verdict.auditAnnotations : undefined
  return succeed({
    apiVersion: API_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: verdict.allowed,
      ...(verdict.allowed ? {} : { status: refusalOf(verdict.status) }),
      ...(patch.value.length > 0
        ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch.value)).toString('base64') }
        : {}),
      ...(verdict.warnings && verdict.warnings.length > 0 ? { warnings: verdict.warnings } : {}),
      ...(annotations ? { auditAnnotations: annotations } : {}),
    },
  })
}

/** The API server says itself which webhook denied the request. */
const spoken = /^admission webhook "[^"]*" denied the request: /

function refusalOf({ message, reason, code }: Status): JsonObject {
  const text = message.replace(spoken, '')
  return { status: 'Failure', message: text, code, ...(textOf(reason) === '' ? {} : { reason }) }
}
