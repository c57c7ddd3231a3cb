import { answerReview } from '../auth/reviews.ts'
import type { Kernel } from '../kernel.ts'
import { methodNotAllowed } from '../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { decodeBody, Warnings } from './body.ts'

/** Answers a question that is asked by creating it: who am I, may they. Nothing is kept. */
export function review(kernel: Kernel, resource: ServedResource, request: ApiRequest): ApiResponse {
  if (!kernel.reviews || request.verb !== 'create') return refused(methodNotAllowed())
  const warnings = new Warnings()
  const decoded = decodeBody(resource, request, warnings)
  if (!decoded.ok) return refused(decoded.error, warnings.said)
  const answered = answerReview(
    { kind: resource.kind, object: decoded.value, user: request.user, namespace: request.namespace },
    kernel.reviews,
  )
  if (!answered.ok) return refused(answered.error, warnings.said)
  return { answer: 'object', code: 201, object: answered.value, warnings: warnings.said }
}
