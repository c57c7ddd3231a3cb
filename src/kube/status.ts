import type { Result } from '../lib/result.ts'

/** Why a request failed, in the words of the Kubernetes API. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Failure' | 'Success'
  readonly message: string
  readonly reason: StatusReason
  readonly details?: StatusDetails
  readonly code: number
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** One reason among several: for invalid objects, one per field. */
export interface StatusCause {
  readonly reason: string
  readonly message: string
  readonly field?: string
}

const codes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  Gone: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const

export type StatusReason = keyof typeof codes

/** The outcome of an API call: expected refusals are values. */
export type ApiResult<T> = Result<T, Status>

/** Makes a failure Status with the code that belongs to its reason. */
export function failure(reason: StatusReason, message: string, details?: StatusDetails): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details ? { details } : {}),
    code: codes[reason],
  }
}

/** Wraps a failure Status as an outcome. */
export function refuse(
  reason: StatusReason,
  message: string,
  details?: StatusDetails,
): { readonly ok: false; readonly error: Status } {
  return { ok: false, error: failure(reason, message, details) }
}
