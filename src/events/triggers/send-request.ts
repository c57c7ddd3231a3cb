import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { ServiceHttp, ServiceRequest, ServiceResponse } from '../../runtime/service-http.ts'
import type { RequestAction, SentValue } from './action.ts'
import { isSendable } from './request-action.ts'
import { invalid } from './template.ts'

const MOST_REDIRECTS = 10
/** Answers are only looked at: nothing of them is used. */
const LONGEST_ANSWER = 1024 * 1024

/** Reads the value of a Secret or ConfigMap in the Sensor's namespace. */
export type ReadValue = (value: SentValue) => Promise<Result<string>>

export interface Sending {
  readonly http: ServiceHttp
  readonly read: ReadValue
  /** Tells receivers that two requests are one. */
  readonly fireId: string
  readonly signal: AbortSignal
}

/** What was answered, and by whom in the end. */
export interface Answered {
  readonly response: ServiceResponse
  readonly url: string
}

/** Sends a request, with what its Secrets say, and follows redirects as Go's client does; secrets never leave their host. */
export async function sendRequest(action: RequestAction, sending: Sending): Promise<Result<Answered>> {
  const secured = await securedOf(action, sending)
  if (!secured.ok) return secured
  const { headers, secret, ...tls } = secured.value
  let { url, method, body } = action
  let sent = { ...headers, ...secret, ...(action.host === undefined ? {} : { host: action.host }) }
  for (let hop = 0; ; hop++) {
    const asked: ServiceRequest = {
      method,
      url,
      headers: sent,
      ...(body === undefined ? {} : { body }),
      ...tls,
      ...(action.skipVerify ? { skipVerify: true } : {}),
      timeoutMs: action.timeoutMs,
      longest: LONGEST_ANSWER,
      signal: sending.signal,
    }
    const answer = await ask(asked, sending)
    if (!answer.ok) return answer
    const next = redirectOf(answer.value, url)
    if (next === undefined || hop >= MOST_REDIRECTS) return succeed({ response: answer.value, url })
    if (next.protocol !== 'http:' && next.protocol !== 'https:')
      return fail({
        code: 'trigger-unreachable',
        message: `${shownUrl(url)} sends on to ${next.protocol}, which is not HTTP`,
      })
    if (next.origin !== new URL(url).origin) sent = headers
    if (answer.value.status < 307 && method !== 'GET' && method !== 'HEAD') {
      method = 'GET'
      body = undefined
    }
    url = next.href
  }
}

function redirectOf({ status, headers }: ServiceResponse, url: string): URL | undefined {
  const location = headers.get('location')
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined || !URL.canParse(location, url))
    return undefined
  return new URL(location, url)
}

/** A URL without what may be secret in it: its query. */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return 'a broken URL'
  const url = new URL(text)
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?...'}`
}

async function ask(request: ServiceRequest, { http }: Sending): Promise<Result<ServiceResponse>> {
  try {
    return succeed(await http(request))
  } catch (error) {
    if (request.signal.aborted) throw error
    const why = describeError(error)
    const code = why.includes('triggers may not send to') ? 'trigger-address-refused' : 'trigger-unreachable'
    const message = `cannot ${request.method} ${shownUrl(request.url)}: ${why}`
    return fail(
      code === 'trigger-address-refused'
        ? {
            code,
            message,
            cure: 'an administrator can allow a network by the annotation idp-blueprint.io/http-allow of the Namespace',
          }
        : { code, message },
    )
  }
}

interface Secured {
  readonly headers: Readonly<Record<string, string>>
  /** Headers that only the host of the trigger's URL is told. */
  readonly secret: Readonly<Record<string, string>>
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

async function securedOf(action: RequestAction, { read, fireId }: Sending): Promise<Result<Secured>> {
  const headers = new Map<string, string>([['idempotency-key', fireId]])
  const secret = new Map<string, string>()
  if (action.body !== undefined) headers.set('content-type', 'application/json')
  for (const [name, value] of action.headers) {
    const text = await read(value)
    if (!text.ok) return text
    if (!isSendable(text.value))
      return fail(invalid('http.secureHeaders', `the value for the header ${name} has characters that cannot be sent`))
    const isSecret = !('text' in value) || /^(authorization|cookie|proxy-authorization)$/i.test(name)
    if (isSecret) headers.delete(name.toLowerCase())
    ;(isSecret ? secret : headers).set(name.toLowerCase(), text.value)
  }
  if (action.basicAuth) {
    const username = action.basicAuth.username ? await read(action.basicAuth.username) : succeed('')
    const password = action.basicAuth.password ? await read(action.basicAuth.password) : succeed('')
    if (!username.ok) return username
    if (!password.ok) return password
    secret.set('authorization', `Basic ${Buffer.from(`${username.value}:${password.value}`).toString('base64')}`)
  }
  const tls: { ca?: string; cert?: string; key?: string } = {}
  for (const [name, value] of [
    ['ca', action.ca],
    ['cert', action.clientCert],
    ['key', action.clientKey],
  ] as const) {
    if (!value) continue
    const text = await read(value)
    if (!text.ok) return text
    tls[name] = text.value
  }
  return succeed({ headers: Object.fromEntries(headers), secret: Object.fromEntries(secret), ...tls })
}
