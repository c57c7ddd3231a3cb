import type { KubeList, KubeObject } from '../kube/object.ts'
import { type ApiResult, failure, type Status, type StatusReason } from '../kube/status.ts'
import { isObject, own } from '../lib/json.ts'
import { succeed } from '../lib/result.ts'
import type { HttpResponse } from './connection.ts'

/** Reads an answer: what was asked for, or the refusal as a Status. An answer that is neither is thrown. */
export async function readAnswer<T>(response: HttpResponse): Promise<ApiResult<T>> {
  const text = await response.body.text()
  if (response.status >= 400) return { ok: false, error: statusOf(response, text) }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error(`cannot read the answer of the server: it is not JSON but ${contentType(response)}`, { cause })
  }
  if (!isObject(value)) throw new Error('cannot read the answer of the server: it is not an object')
  return succeed(value as T) // what the API promises for this path
}

/** Items of a list do not say what they are when the server has built-in types; objects here do. */
export function withKinds(list: KubeList): KubeList {
  if (!Array.isArray(list.items) || list.items.length === 0) return { ...list, items: list.items ?? [] }
  const { apiVersion } = list
  const kind = list.kind.replace(/List$/, '')
  const typed = (item: KubeObject): KubeObject => (item.kind && item.apiVersion ? item : { ...item, apiVersion, kind })
  return { ...list, items: list.items.map(typed) }
}

/** The refusal that an answer is; gateways and old servers answer without a Status. */
export function statusOf(response: HttpResponse, text: string): Status {
  const retryAfterSeconds = retryAfterOf(response)
  const parsed = parseStatus(text)
  if (parsed) {
    if (retryAfterSeconds === undefined || parsed.details?.retryAfterSeconds !== undefined) return parsed
    return { ...parsed, details: { ...parsed.details, retryAfterSeconds } }
  }
  const said = text.trim().slice(0, 500)
  const message =
    said === '' ? `the server answered ${response.status}` : `the server answered ${response.status}: ${said}`
  const status = failure(
    reasonOf(response.status),
    message,
    retryAfterSeconds === undefined ? undefined : { retryAfterSeconds },
  )
  return { ...status, code: response.status }
}

function parseStatus(text: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value) || own(value, 'kind') !== 'Status') return undefined
    return asStatus(value)
  } catch {
    return undefined
  }
}

/** A Status from the wire, whose optional fields are there. */
export function asStatus(value: Readonly<Record<string, unknown>>): Status {
  const status = value as unknown as Partial<Status> // a Status by its kind
  const code = typeof status.code === 'number' ? status.code : 500
  return {
    ...status,
    kind: 'Status',
    apiVersion: 'v1',
    metadata: status.metadata ?? {},
    status: status.status ?? 'Failure',
    message: status.message ?? '',
    reason: status.reason ?? reasonOf(code),
    code,
  }
}

/** Seconds to wait, as the server asks; a date is not understood and answers nothing. */
export function retryAfterOf({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const value = headers['retry-after']
  return typeof value === 'string' && /^\d{1,6}$/.test(value.trim()) ? Number(value) : undefined
}

const reasons: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

const reasonOf = (code: number): StatusReason => reasons[code] ?? (code < 500 ? 'BadRequest' : 'InternalError')

const contentType = ({ headers }: HttpResponse): string => String(headers['content-type'] ?? 'nothing')
