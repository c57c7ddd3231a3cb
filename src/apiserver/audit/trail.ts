import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { ResourceAttributes } from '../auth/attributes.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { auditEvent } from './event.ts'
import { type AuditRule, auditLevelOf } from './policy.ts'

/** Where audit events go, and which are worth it. */
export interface AuditTrail {
  readonly rules: readonly AuditRule[]
  readonly write: (event: Readonly<Record<string, unknown>>) => void
}

type Answer = (request: ApiRequest) => Promise<ApiResponse>

/** The same answers, with what the rules ask for written down once each request has been answered. */
export function audited(
  answer: Answer,
  trail: AuditTrail,
  ports: {
    readonly clock: Clock
    readonly ids: Ids
    readonly attributesOf: (request: ApiRequest) => ResourceAttributes
  },
): Answer {
  return async (request) => {
    const attributes = ports.attributesOf(request)
    const level = auditLevelOf(trail.rules, attributes)
    if (level === 'None') return answer(request)
    const receivedAtMs = ports.clock.now()
    const response = await answer(request)
    trail.write(
      auditEvent({
        id: ports.ids.uid(),
        level,
        attributes: named(attributes, response),
        uri: uriOf(request),
        ...(request.userAgent ? { userAgent: request.userAgent } : {}),
        ...(request.sender?.address ? { sourceAddress: request.sender.address } : {}),
        ...(request.sender?.impersonatedBy ? { impersonatedBy: request.sender.impersonatedBy } : {}),
        receivedAtMs,
        answeredAtMs: ports.clock.now(),
        code: response.answer === 'status' ? response.status.code : response.answer === 'object' ? response.code : 200,
        ...(response.answer === 'status' ? { status: response.status } : {}),
        request: request.patch ?? request.body,
        ...(response.answer === 'object' ? { response: response.object } : {}),
      }),
    )
    return response
  }
}

/** A creation knows the name of its object only when it is done. */
function named(attributes: ResourceAttributes, response: ApiResponse): ResourceAttributes {
  const name = response.answer === 'object' ? response.object.metadata.name : undefined
  return attributes.name === undefined && name !== undefined ? { ...attributes, name } : attributes
}

function uriOf({ group, version, namespace, plural, name, subresource }: ApiRequest): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const parts = [
    ...(namespace ? ['namespaces', namespace] : []),
    plural,
    ...(name ? [name] : []),
    ...(subresource ? [subresource] : []),
  ]
  return `${root}/${parts.map(encodeURIComponent).join('/')}`
}
