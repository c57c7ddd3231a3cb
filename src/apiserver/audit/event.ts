import type { UserInfo } from '../../kube/admission.ts'
import type { Status } from '../../kube/status.ts'
import { isObject } from '../../lib/json.ts'
import type { Attributes } from '../auth/attributes.ts'
import type { AuditLevel } from './policy.ts'

/** What is known of a request when it has been answered. */
export interface Audited {
  readonly id: string
  readonly level: Exclude<AuditLevel, 'None'>
  readonly attributes: Attributes
  /** The user behind an impersonation. */
  readonly impersonatedBy?: UserInfo
  readonly uri: string
  readonly userAgent?: string
  readonly sourceAddress?: string
  readonly receivedAtMs: number
  readonly answeredAtMs: number
  readonly code: number
  readonly status?: Status
  readonly request?: unknown
  readonly response?: unknown
  readonly annotations?: Readonly<Record<string, string>>
}

/** Kinds whose content is a secret: their bodies are never written, whatever the policy says. */
const secretResources: ReadonlySet<string> = new Set(['secrets', 'tokenreviews', 'serviceaccounts/token'])

const micro = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`

/** The audit event of a request, in the form of audit.k8s.io/v1. */
export function auditEvent(audited: Audited): Readonly<Record<string, unknown>> {
  const { attributes, level, impersonatedBy, userAgent, sourceAddress, annotations } = audited
  const { user } = attributes
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: audited.id,
    stage: 'ResponseComplete',
    requestURI: audited.uri,
    verb: attributes.verb,
    user: userText(impersonatedBy ?? user),
    ...(impersonatedBy ? { impersonatedUser: userText(user) } : {}),
    ...(sourceAddress ? { sourceIPs: [sourceAddress] } : {}),
    ...(userAgent ? { userAgent } : {}),
    ...objectReference(attributes),
    responseStatus: {
      metadata: {},
      ...(audited.status
        ? { status: audited.status.status, reason: audited.status.reason, message: audited.status.message }
        : {}),
      code: audited.code,
    },
    ...bodies(audited),
    requestReceivedTimestamp: micro(audited.receivedAtMs),
    stageTimestamp: micro(audited.answeredAtMs),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}),
  }
}

const userText = ({ username, uid, groups, extra }: UserInfo): unknown => ({
  username,
  ...(uid ? { uid } : {}),
  groups,
  ...(extra ? { extra } : {}),
})

function objectReference(attributes: Attributes): object {
  if ('path' in attributes) return {}
  const { group, version, plural, subresource, namespace, name } = attributes
  return {
    objectRef: {
      resource: plural,
      ...(namespace ? { namespace } : {}),
      ...(name ? { name } : {}),
      ...(group ? { apiGroup: group } : {}),
      apiVersion: version,
      ...(subresource ? { subresource } : {}),
    },
  }
}

function bodies({ level, attributes, request, response }: Audited): object {
  if (level === 'Metadata' || isSecret(attributes)) return {}
  return {
    ...(request === undefined ? {} : { requestObject: withoutManagedFields(request) }),
    ...(level === 'RequestResponse' && response !== undefined
      ? { responseObject: withoutManagedFields(response) }
      : {}),
  }
}

function isSecret(attributes: Attributes): boolean {
  if ('path' in attributes) return false
  const { plural, subresource } = attributes
  return secretResources.has(plural) || secretResources.has(`${plural}/${subresource ?? ''}`)
}

/** Who manages which field is noise here. */
function withoutManagedFields(body: unknown): unknown {
  if (!isObject(body) || !isObject(body['metadata'])) return body
  const { managedFields: _, ...metadata } = body['metadata']
  return { ...body, metadata }
}
