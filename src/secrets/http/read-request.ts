import type { Call } from '../store/call.ts'
import { secondsOf } from '../store/fields.ts'
import { badRequest, type Operation, type Refusal, refused } from '../store/logical.ts'

/** A request of HTTP as far as the store looks at it. Names of headers are in lower case. */
export interface HttpRequest {
  readonly method: string
  /** The path and the query as they were sent, such as `/v1/secret/data/a?version=2`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Uint8Array
  readonly remoteAddress: string
}

/** A larger body is refused; what reads it should stop there. */
export const MOST_BODY_BYTES: number = 8 * 2 ** 20
const LONGEST_PATH = 1_024
const DEEPEST_JSON = 100
const MERGE_PATCH = 'application/merge-patch+json'

type ReadCall = { readonly ok: true; readonly value: Call } | { readonly ok: false; readonly error: Refusal }

/** What is asked of the store, or why nobody can say. */
export function readRequest(request: HttpRequest, id: string): ReadCall {
  const [target, query] = splitAt(request.url, '?')
  const path = readPath(target)
  if (!path.ok) return path
  const params = new URLSearchParams(query)
  const operation = operationOf(request.method, params)
  if (operation === undefined) return refused(405, `unsupported method ${JSON.stringify(request.method)}`)
  const namespace = header(request, 'x-vault-namespace').replace(/^\/|\/$/g, '')
  if (namespace !== '' && namespace !== 'root') {
    return badRequest(
      `namespaces are not supported: leave the header X-Vault-Namespace away (it says ${JSON.stringify(namespace)})`,
    )
  }
  const wrap = wrapSecondsOf(header(request, 'x-vault-wrap-ttl'))
  if (wrap === undefined) return badRequest('error parsing X-Vault-Wrap-TTL: it is a duration such as 60 or "5m"')
  const hasBody = operation === 'update' || operation === 'patch'
  const type = header(request, 'content-type').split(';')[0]?.trim().toLowerCase() ?? ''
  if (operation === 'patch' && type !== MERGE_PATCH) {
    return refused(415, `PATCH requires Content-Type of ${MERGE_PATCH}, provided ${JSON.stringify(type)}`)
  }
  const fields = hasBody ? readBody(request.body) : fieldsOf(params)
  if ('ok' in fields) return fields
  const isList = operation === 'list' && path.value !== '' && !path.value.endsWith('/')
  return {
    ok: true,
    value: {
      id,
      operation,
      path: isList ? `${path.value}/` : path.value,
      fields,
      token: header(request, 'x-vault-token') || bearerOf(header(request, 'authorization')),
      wrapSeconds: wrap,
      remoteAddress: request.remoteAddress,
    },
  }
}

/** The path below `/v1/`, decoded. Whatever could mean another place than it says is refused. */
function readPath(
  target: string,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly error: Refusal } {
  if (!target.startsWith('/v1/')) return refused(404, 'paths begin with /v1/')
  if (target.length > LONGEST_PATH * 3) return badRequest(`the path is longer than ${LONGEST_PATH} characters`)
  let path: string
  try {
    path = decodeURIComponent(target.slice('/v1/'.length))
  } catch {
    return badRequest('the path is not percent-encoded UTF-8')
  }
  if (Buffer.byteLength(path) > LONGEST_PATH) return badRequest(`the path is longer than ${LONGEST_PATH} bytes`)
  const segments = path.split('/')
  if (segments.includes('..')) return badRequest('path cannot contain parent references')
  if (segments.includes('.') || segments.slice(0, -1).includes(''))
    return badRequest('path cannot contain empty segments or "."')
  if (CONTROL.test(path)) return badRequest('path cannot contain control characters')
  return { ok: true, value: path }
}

const CONTROL = /\p{Cc}|\uffff/u

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['GET', 'read'],
  ['HEAD', 'read'],
  ['LIST', 'list'],
  ['PUT', 'update'],
  ['POST', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
])

function operationOf(method: string, params: URLSearchParams): Operation | undefined {
  const operation = OPERATIONS.get(method)
  if (operation !== 'read') return operation
  if (params.has('help')) return 'help'
  return params.get('list') === 'true' || params.get('list') === '1' ? 'list' : 'read'
}

const NO_PARAMS: ReadonlySet<string> = new Set(['list', 'help'])

function fieldsOf(params: URLSearchParams): Call['fields'] {
  const fields = new Map<string, unknown>()
  for (const name of new Set(params.keys())) {
    if (NO_PARAMS.has(name)) continue
    const values = params.getAll(name)
    fields.set(name, values.length === 1 ? values[0] : values)
  }
  return fields
}

function readBody(body: Uint8Array): Call['fields'] | { readonly ok: false; readonly error: Refusal } {
  if (body.length > MOST_BODY_BYTES) return refused(413, 'http: request body too large')
  if (body.length === 0) return new Map()
  let text: string
  try {
    text = UTF8.decode(body)
  } catch {
    return badRequest('failed to parse JSON input: it is not UTF-8')
  }
  if (isDeep(text)) return badRequest(`failed to parse JSON input: nested deeper than ${DEEPEST_JSON} levels`)
  let value: unknown
  try {
    value = text.trim() === '' ? {} : JSON.parse(text)
  } catch {
    // Where the error is would have to be said with a piece of the text, which may be a secret.
    return badRequest('failed to parse JSON input: it is not JSON')
  }
  if (value === null) return new Map()
  if (typeof value !== 'object' || Array.isArray(value))
    return badRequest('failed to parse JSON input: it is not an object')
  return new Map(Object.entries(value))
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Whether braces and brackets outside strings are nested too deep. */
function isDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > DEEPEST_JSON) return true
    } else if (code === 0x7d || code === 0x5d) {
      depth--
    }
  }
  return false
}

function wrapSecondsOf(text: string): number | undefined {
  if (text === '') return 0
  const seconds = secondsOf(text)
  return seconds !== undefined && seconds >= 0 ? seconds : undefined
}

const bearerOf = (authorization: string): string => /^Bearer +(\S+)\s*$/i.exec(authorization)?.[1] ?? ''

function header({ headers }: HttpRequest, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : (value?.[0] ?? '')
}

function splitAt(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)]
}
