import { textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { resolveParameter } from '../parameters/resolve.ts'
import type { FireContext } from '../sensor/trigger.ts'
import type { RequestAction, SentValue } from './action.ts'
import { payloadOf } from './payload.ts'
import { invalid, parametersAt } from './template.ts'

const DEFAULT_TIMEOUT_S = 60
const LONGEST_TIMEOUT_S = 600
const METHOD = /^[A-Z]{1,20}$/
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/
/** What ends a header, and so could begin another. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSENDABLE = /[\u0000-\u0008\u000a-\u001f\u007f]/

type Fields = Readonly<Record<string, unknown>>

/** The selector of a Secret or ConfigMap as a value that is read when it is sent. */
export function keyValue(from: 'Secret' | 'ConfigMap', selector: unknown, at: string): Result<SentValue> {
  const name = textOf(selector, 'name')
  const key = textOf(selector, 'key')
  if (name === '' || key === '') return fail(invalid(at, `a reference to a ${from} needs name and key`))
  return succeed({ from, name, key })
}

/** What is wrong with an http section whatever the event; a URL and headers may still be filled by parameters. */
export function checkRequest(section: Fields): readonly Problem[] {
  const problems: Problem[] = []
  const parameters = parametersAt(section, 'parameters', 'http')
  const payload = parametersAt(section, 'payload', 'http')
  const dynamic = parametersAt(section, 'dynamicHeaders', 'http')
  for (const read of [parameters, payload, dynamic]) if (!read.ok) problems.push(...read.error)
  const filled = new Set(parameters.ok ? parameters.value.map(({ dest }) => dest) : [])
  if (!filled.has('url')) problems.push(...urlOf(textOf(section, 'url')).problems)
  const method = textOf(section, 'method')
  if (!filled.has('method') && method !== '' && !METHOD.test(method.toUpperCase()))
    problems.push(invalid('http.method', `${JSON.stringify(method)} is no method`))
  const secure = secureHeaders(section)
  if (!secure.ok) problems.push(...secure.error)
  const tls = tlsOf(section)
  if (!tls.ok) problems.push(...tls.error)
  const basic = basicAuthOf(section)
  if (!basic.ok) problems.push(...basic.error)
  return problems
}

function urlOf(text: string): { readonly url?: URL; readonly problems: readonly Problem[] } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return {
      problems: [
        invalid('http.url', `${JSON.stringify(text.slice(0, 200))} is no URL of HTTP`, 'write https://HOST/PATH'),
      ],
    }
  if (url.username !== '' || url.password !== '')
    return {
      problems: [invalid('http.url', 'the URL has a password in it', 'keep it in a Secret and name it in basicAuth')],
    }
  return { url, problems: [] }
}

/** The request that an http section, with its parameters in it, asks for. */
export function requestAction(
  section: Fields,
  { events, fill }: Pick<FireContext, 'events' | 'fill'>,
): Result<RequestAction> {
  const { url, problems } = urlOf(textOf(section, 'url'))
  if (!url) return fail(...problems)
  const method = (textOf(section, 'method') || 'POST').toUpperCase()
  if (!METHOD.test(method)) return fail(invalid('http.method', `${JSON.stringify(method)} is no method`))
  const payload = parametersAt(section, 'payload', 'http')
  if (!payload.ok) return payload
  const body = payloadOf(payload.value, events, fill)
  if (!body.ok) return body
  const headers = headersOf(section, { events, fill })
  if (!headers.ok) return headers
  const tls = tlsOf(section)
  if (!tls.ok) return tls
  const basicAuth = basicAuthOf(section)
  if (!basicAuth.ok) return basicAuth
  const host = textOf(section, 'host')
  if (host !== '' && UNSENDABLE.test(host))
    return fail(invalid('http.host', 'the host has characters that cannot be sent'))
  return succeed({
    do: 'request',
    method,
    url: url.href,
    ...(host === '' ? {} : { host }),
    headers: headers.value,
    ...(basicAuth.value ? { basicAuth: basicAuth.value } : {}),
    ...(body.value === undefined ? {} : { body: body.value }),
    timeoutMs: timeoutOf(section['timeout']) * 1_000,
    ...tls.value,
  })
}

function timeoutOf(seconds: unknown): number {
  const wanted = Number(seconds)
  return wanted > 0 ? Math.min(wanted, LONGEST_TIMEOUT_S) : DEFAULT_TIMEOUT_S
}

/** The headers in their order: plain ones, those of events, those of Secrets; the last of a name is sent. */
function headersOf(
  section: Fields,
  { events, fill }: Pick<FireContext, 'events' | 'fill'>,
): Result<RequestAction['headers']> {
  const found = new Map<string, readonly [string, SentValue]>()
  const plain = section['headers']
  for (const [name, value] of Object.entries(isObject(plain) ? plain : {})) {
    if (typeof value !== 'string') return fail(invalid(`http.headers.${name}`, 'a header must be a text'))
    found.set(name.toLowerCase(), [name, { text: value }])
  }
  const dynamic = parametersAt(section, 'dynamicHeaders', 'http')
  if (!dynamic.ok) return dynamic
  for (const { src, dest = '' } of dynamic.value) {
    const resolved = resolveParameter(src, events, fill)
    if (!resolved.ok) return resolved
    if (resolved.value) found.set(dest.toLowerCase(), [dest, { text: resolved.value.text }])
  }
  const secure = secureHeaders(section)
  if (!secure.ok) return secure
  for (const [name, value] of secure.value) found.set(name.toLowerCase(), [name, value])
  for (const [name, value] of found.values()) {
    if (!HEADER_NAME.test(name))
      return fail(invalid('http.headers', `${JSON.stringify(name.slice(0, 80))} is no name of a header`))
    if ('text' in value && UNSENDABLE.test(value.text))
      return fail(invalid('http.headers', `the header ${name} has characters that cannot be sent`))
  }
  return succeed([...found.values()])
}

/** Tells whether a text can be the value of a header. */
export const isSendable = (text: string): boolean => !UNSENDABLE.test(text)

function secureHeaders(section: Fields): Result<readonly (readonly [string, SentValue])[]> {
  const list = section['secureHeaders']
  if (list === undefined || list === null) return succeed([])
  if (!Array.isArray(list)) return fail(invalid('http.secureHeaders', 'secureHeaders must be a list'))
  const found: (readonly [string, SentValue])[] = []
  for (const [index, one] of list.entries()) {
    const at = `http.secureHeaders[${index}]`
    const name = textOf(one, 'name')
    const from = isObject(one) && isObject(one['valueFrom']) ? one['valueFrom'] : {}
    const value = isObject(from['secretKeyRef'])
      ? keyValue('Secret', from['secretKeyRef'], `${at}.valueFrom.secretKeyRef`)
      : keyValue('ConfigMap', from['configMapKeyRef'], `${at}.valueFrom`)
    if (!value.ok) return value
    if (!HEADER_NAME.test(name))
      return fail(invalid(`${at}.name`, `${JSON.stringify(name.slice(0, 80))} is no name of a header`))
    found.push([name, value.value])
  }
  return succeed(found)
}

function basicAuthOf(section: Fields): Result<RequestAction['basicAuth']> {
  const given = section['basicAuth']
  if (!isObject(given)) return succeed(undefined)
  const found: { username?: SentValue; password?: SentValue } = {}
  for (const part of ['username', 'password'] as const) {
    if (!isObject(given[part])) continue
    const value = keyValue('Secret', given[part], `http.basicAuth.${part}`)
    if (!value.ok) return value
    found[part] = value.value
  }
  return succeed(found)
}

function tlsOf(section: Fields): Result<Pick<RequestAction, 'skipVerify' | 'ca' | 'clientCert' | 'clientKey'>> {
  const given = section['tls']
  if (!isObject(given)) return succeed({ skipVerify: false })
  const found: { ca?: SentValue; clientCert?: SentValue; clientKey?: SentValue } = {}
  for (const [field, name] of [
    ['caCertSecret', 'ca'],
    ['clientCertSecret', 'clientCert'],
    ['clientKeySecret', 'clientKey'],
  ] as const) {
    if (!isObject(given[field])) continue
    const value = keyValue('Secret', given[field], `http.tls.${field}`)
    if (!value.ok) return value
    found[name] = value.value
  }
  if ((found.clientCert === undefined) !== (found.clientKey === undefined))
    return fail(invalid('http.tls', 'clientCertSecret and clientKeySecret go together'))
  return succeed({ skipVerify: given['insecureSkipVerify'] === true, ...found })
}
