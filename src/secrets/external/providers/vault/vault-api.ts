import { fieldsOf, textsOf } from '../../../../lib/fields.ts'
import { isObject, type Json } from '../../../../lib/json.ts'
import { describeError } from '../../../../lib/log.ts'
import { succeed } from '../../../../lib/result.ts'
import type { ServiceHttp } from '../../../../runtime/service-http.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { readJson } from '../../data/json-value.ts'
import { failed, type Fetched } from '../../data/trouble.ts'
import { urlPath } from './paths.ts'

/** Where a Vault is and how it is spoken to. */
export interface VaultConnection {
  readonly http: ServiceHttp
  readonly clock: Clock
  readonly server: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly retry: { readonly times: number; readonly waitMs: number }
  readonly signal: AbortSignal
}

/** One question to a Vault. */
export interface VaultRequest {
  readonly method: 'GET' | 'LIST' | 'POST' | 'DELETE'
  /** Below `/v1/`. */
  readonly path: string
  readonly query?: string
  readonly body?: Readonly<Record<string, unknown>>
  readonly token?: string
  readonly namespace?: string
  /** What was sent and must not come back in a message. */
  readonly hide?: readonly string[]
}

/** What a Vault answered: undefined where nothing is there. */
export interface VaultAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, Json>>
}

const TIMEOUT_MS = 30_000
const LONGEST_ERROR = 200

/** Asks a Vault, again where it is away or busy and the store says so. */
export async function askVault(connection: VaultConnection, request: VaultRequest): Promise<Fetched<VaultAnswer>> {
  for (let attempt = 0; ; attempt++) {
    const answer = await askOnce(connection, request)
    const isAway = answer.ok ? answer.value.status >= 500 : true
    if (!isAway || attempt >= connection.retry.times) return answer
    await connection.clock.sleep(connection.retry.waitMs, { signal: connection.signal })
  }
}

async function askOnce(connection: VaultConnection, request: VaultRequest): Promise<Fetched<VaultAnswer>> {
  const path = urlPath(request.path)
  if (path === undefined)
    return failed(`${JSON.stringify(request.path)} is not the path of a secret: it has . or .. in it`)
  const namespace = request.namespace ?? ''
  try {
    const { status, body } = await connection.http({
      method: request.method,
      url: `${connection.server.replace(/\/+$/, '')}/v1/${path}${request.query ? `?${request.query}` : ''}`,
      headers: {
        ...connection.headers,
        'x-vault-request': 'true',
        ...(request.body ? { 'content-type': 'application/json' } : {}),
        ...(namespace === '' ? {} : { 'x-vault-namespace': namespace }),
        ...(request.token === undefined ? {} : { 'x-vault-token': request.token }),
      },
      ...(request.body ? { body: JSON.stringify(request.body) } : {}),
      ...connection.tls,
      timeoutMs: TIMEOUT_MS,
      signal: connection.signal,
    })
    const read = body === '' ? {} : readJson(body)
    return succeed({ status, body: isObject(read) ? (read as Readonly<Record<string, Json>>) : {} })
  } catch (error) {
    connection.signal.throwIfAborted()
    return failed(`cannot reach Vault at ${connection.server}: ${withoutSecrets(describeError(error), request)}`)
  }
}

/** A refusal as trouble, with Vault's words, cut and without what was sent; that nothing is there is an answer. */
export function judged(answer: VaultAnswer, request: VaultRequest): Fetched<VaultAnswer> {
  if (answer.status < 300 || answer.status === 404) return succeed(answer)
  const said = (textsOf(answer.body, 'errors') ?? []).join(', ') || 'no reason is given'
  const because = withoutSecrets(said, request).replaceAll(/\s+/g, ' ').slice(0, LONGEST_ERROR)
  return failed(`Vault answered ${answer.status} to ${request.method} ${request.path}: ${because}`)
}

function withoutSecrets(text: string, { token, hide = [] }: VaultRequest): string {
  return [token ?? '', ...hide]
    .filter((secret) => secret !== '')
    .reduce((left, secret) => left.replaceAll(secret, '(hidden)'), text)
}

/** The data of an answer; undefined where it has none. */
export function dataOf({ body }: VaultAnswer): Readonly<Record<string, Json>> | undefined {
  const data = body['data']
  return isObject(data) ? (fieldsOf(body, 'data') as Readonly<Record<string, Json>>) : undefined // of JSON
}
