import type { ServiceHttp, ServiceRequest, ServiceResponse } from '../../runtime/service-http.ts'

/** A Vault in memory as its API's documentation has it, as far as External Secrets speaks to one. */
export interface FakeVault {
  readonly http: ServiceHttp
  /** Every request, as `GET secret/data/a`, with the token that came with it. */
  readonly asked: { readonly what: string; readonly token: string; readonly namespace: string; readonly body: string }[]
  isSealed: boolean
  isAway: boolean
  /** Tokens that are let in. */
  readonly tokens: Set<string>
  /** Logins by `auth/approle/login` and what has to be said there; the token that comes of it. */
  readonly logins: Map<
    string,
    { readonly body: Readonly<Record<string, string>>; readonly token: string; readonly seconds: number }
  >
  put(path: string, data: Readonly<Record<string, unknown>>, metadata?: Readonly<Record<string, string>>): void
  remove(path: string): void
  read(path: string): Readonly<Record<string, unknown>> | undefined
}

interface Entry {
  readonly versions: (Readonly<Record<string, unknown>> | null)[]
  metadata: Readonly<Record<string, string>>
}

const answer = (status: number, body: unknown = {}): ServiceResponse => ({
  status,
  headers: new Map(),
  body: JSON.stringify(body),
})
const refused = (status: number, ...errors: readonly string[]): ServiceResponse => answer(status, { errors })

/** Makes one with an engine of the second version at `secret/` and one of the first at `kv1/`. */
export function fakeVault(): FakeVault {
  const entries = new Map<string, Entry>()
  const first = new Map<string, Readonly<Record<string, unknown>>>()
  const vault: FakeVault = {
    asked: [],
    isSealed: false,
    isAway: false,
    tokens: new Set(['root']),
    logins: new Map(),
    put(path, data, metadata = {}) {
      const entry = entries.get(path) ?? { versions: [], metadata }
      entry.versions.push(data)
      entry.metadata = { ...entry.metadata, ...metadata }
      entries.set(path, entry)
    },
    remove: (path) => void entries.delete(path),
    read: (path) => entries.get(path)?.versions.at(-1) ?? undefined,
    async http(request) {
      await Promise.resolve()
      const { pathname, searchParams } = new URL(request.url)
      const path = decodeURIComponent(pathname.replace(/^\/v1\//, ''))
      const token = request.headers['x-vault-token'] ?? ''
      const namespace = request.headers['x-vault-namespace'] ?? ''
      vault.asked.push({ what: `${request.method} ${path}`, token, namespace, body: request.body ?? '' })
      if (vault.isAway) throw new Error('connect ECONNREFUSED 127.0.0.1:8200')
      if (vault.isSealed) return refused(503, 'Vault is sealed')
      const login = logInto(path, request)
      if (login) return login
      if (!vault.tokens.has(token)) return refused(403, `permission denied for ${token}`)
      if (path === 'auth/token/lookup-self')
        return answer(200, { data: { type: 'service', ttl: 3_600, expire_time: null } })
      if (path.startsWith('kv1/')) return versionOne(path, request)
      if (path.startsWith('secret/metadata')) return metadata(path.slice('secret/metadata/'.length), request)
      if (path.startsWith('secret/data/'))
        return data(path.slice('secret/data/'.length), request, searchParams.get('version'))
      return refused(404)
    },
  }

  function logInto(path: string, request: ServiceRequest): ServiceResponse | undefined {
    const login = vault.logins.get(path)
    if (!login) return undefined
    const said = JSON.parse(request.body ?? '{}') as Readonly<Record<string, string>>
    const isRight = Object.entries(login.body).every(([key, value]) => value === '*' || said[key] === value)
    if (!isRight) return refused(400, `invalid credentials ${Object.values(said).join(' ')}`)
    vault.tokens.add(login.token)
    return answer(200, { auth: { client_token: login.token, lease_duration: login.seconds, renewable: true } })
  }

  function data(path: string, { method, body }: ServiceRequest, version: string | null): ServiceResponse {
    const entry = entries.get(path)
    if (method === 'POST') {
      const said = JSON.parse(body ?? '{}') as { data: Readonly<Record<string, unknown>>; options?: { cas?: number } }
      const at = entry?.versions.length ?? 0
      if (said.options?.cas !== undefined && said.options.cas !== at)
        return refused(400, 'check-and-set parameter did not match the current version')
      vault.put(path, said.data)
      return answer(200, { data: { version: at + 1 } })
    }
    if (method === 'DELETE') {
      entry?.versions.push(null)
      return answer(204)
    }
    if (!entry) return refused(404)
    const at = version === null ? entry.versions.length : Number(version)
    const value = entry.versions[at - 1]
    if (value === undefined) return refused(404)
    const found = { data: { data: value, metadata: { version: at } } }
    return value === null ? answer(404, found) : answer(200, found)
  }

  function metadata(path: string, { method, body }: ServiceRequest): ServiceResponse {
    if (method === 'LIST') return list([...entries.keys()], path)
    const entry = entries.get(path)
    if (method === 'DELETE') {
      entries.delete(path)
      return answer(204)
    }
    if (method === 'POST') {
      const { custom_metadata: own } = JSON.parse(body ?? '{}') as { custom_metadata: Readonly<Record<string, string>> }
      entries.set(path, { versions: entry?.versions ?? [], metadata: own })
      return answer(204)
    }
    if (!entry) return refused(404)
    const custom = Object.keys(entry.metadata).length === 0 ? null : entry.metadata
    return answer(200, {
      data: { created_time: '2026-01-01T00:00:00Z', current_version: entry.versions.length, custom_metadata: custom },
    })
  }

  function versionOne(path: string, { method, body }: ServiceRequest): ServiceResponse {
    if (method === 'LIST') return list([...first.keys()], path.slice('kv1/'.length))
    const key = path.slice('kv1/'.length)
    if (method === 'POST') {
      first.set(key, JSON.parse(body ?? '{}') as Readonly<Record<string, unknown>>)
      return answer(204)
    }
    if (method === 'DELETE') {
      first.delete(key)
      return answer(204)
    }
    const value = first.get(key)
    return value ? answer(200, { data: value }) : refused(404)
  }

  return vault
}

function list(paths: readonly string[], below: string): ServiceResponse {
  const prefix = below === '' || below.endsWith('/') ? below : `${below}/`
  const keys = new Set(
    paths
      .filter((path) => path.startsWith(prefix))
      .map((path) => {
        const rest = path.slice(prefix.length)
        const slash = rest.indexOf('/')
        return slash < 0 ? rest : rest.slice(0, slash + 1)
      }),
  )
  return keys.size === 0 ? refused(404) : answer(200, { data: { keys: [...keys].toSorted() } })
}
