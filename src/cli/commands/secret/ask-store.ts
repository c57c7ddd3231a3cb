import type { RemoteClient } from '../../../client/remote-client.ts'
import { isObject } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'

const PAGES = '/idp/secret-store/v1/'

/** An answer of the store: nothing where it has nothing. */
export type StoreData = Readonly<Record<string, unknown>>

/** Where a secret is: what its mount is called, how it keeps secrets, and the path below it. */
export interface SecretPlace {
  readonly mount: string
  readonly version: 'v1' | 'v2'
  readonly path: string
}

/** Asks the platform's secret store in the name of whoever may administer the cluster. */
export async function askStore(
  client: RemoteClient,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Result<{ readonly status: number; readonly data: StoreData | undefined }>> {
  const [target = '', query] = path.split('?')
  const url = PAGES + target.split('/').map(encodeURIComponent).join('/') + (query === undefined ? '' : `?${query}`)
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } }
  const answer = await client.ask({ method, path: url, ...sent })
  const read = parse(answer.body)
  const isMissing =
    answer.status === 404 && isObject(read) && Array.isArray(read['errors']) && read['errors'].length === 0
  const data = isObject(read) && isObject(read['data']) ? read['data'] : undefined
  if ((answer.status >= 200 && answer.status < 300) || isMissing || (answer.status === 404 && data)) {
    return succeed({ status: answer.status, data })
  }
  return fail({ code: 'secret-store-refused', at: target, message: messageOf(read, answer.status, answer.body) })
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  } catch {
    // A page of something else; it is told by its status.
    return undefined
  }
}

function messageOf(read: unknown, status: number, text: string): string {
  if (isObject(read) && Array.isArray(read['errors']) && read['errors'].length > 0) {
    return read['errors'].map(String).join('; ').trim()
  }
  if (isObject(read) && typeof read['message'] === 'string') return read['message']
  return text.length > 0 && text.length < 200 ? text.trim() : `the answer is HTTP ${status}`
}

/** Which mount a path belongs to, as the store says. */
export async function findPlace(client: RemoteClient, written: string): Promise<Result<SecretPlace>> {
  const path = written.replace(/^\/+|\/+$/g, '')
  if (path === '')
    return fail({ code: 'secret-path-invalid', message: 'a path begins with its mount, such as secret/team/db' })
  const found = await askStore(client, 'GET', `sys/internal/ui/mounts/${path}`)
  if (!found.ok) return found
  const { data } = found.value
  const mount = typeof data?.['path'] === 'string' ? data['path'] : ''
  if (data?.['type'] !== 'kv' || mount === '') {
    return fail({
      code: 'secret-path-invalid',
      at: path,
      message: `there is no mount of secrets at ${JSON.stringify(path)}`,
      cure: 'idp secret list shows the mounts there are',
    })
  }
  const options = isObject(data['options']) ? data['options'] : {}
  return succeed({ mount, version: options['version'] === '2' ? 'v2' : 'v1', path: path.slice(mount.length) })
}

/** The values of a secret with the number of their version; nothing where it is not there, or no longer. */
export async function readSecret(
  client: RemoteClient,
  { mount, version, path }: SecretPlace,
  number?: number,
): Promise<Result<{ readonly values: StoreData; readonly metadata: StoreData } | undefined>> {
  const query = number === undefined ? '' : `?version=${number}`
  const read = await askStore(client, 'GET', version === 'v2' ? `${mount}data/${path}${query}` : mount + path)
  if (!read.ok) return read
  const { data, status } = read.value
  if (!data || status === 404) return succeed(undefined)
  if (version === 'v1') return succeed({ values: data, metadata: {} })
  const [values, metadata] = [data['data'], data['metadata']]
  return succeed(isObject(values) ? { values, metadata: isObject(metadata) ? metadata : {} } : undefined)
}
