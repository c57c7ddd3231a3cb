import { isDeepStrictEqual } from 'node:util'
import type { Ids } from '../../lib/ids.ts'
import { isObject } from '../../lib/json.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { makeValue, type StoreSeed } from './store-seed.ts'

/** Asks the secret store as somebody who may do everything in it; `path` is of Vault's API, such as `sys/mounts`. */
export type AskStore = (request: {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: string
}) => Promise<{ readonly status: number; readonly body: string }>

interface Answer {
  readonly status: number
  readonly data: Readonly<Record<string, unknown>>
  readonly errors: string
}

const AUTH = 'kubernetes'
/** The cluster whose tokens are believed: the store's own. */
const KUBERNETES = 'https://kubernetes.default.svc'

/** Brings mounts, rules, roles and generated credentials into the store, through Vault's API. What is there already stays. */
export async function seedStore(
  seed: StoreSeed,
  access: AskStore,
  ids: Ids,
  tell: (what: string, because: string) => void,
): Promise<Result<true>> {
  try {
    await mountAll(seed, access, tell)
    await allowAll(seed, access, tell)
    for (const { path, keys } of seed.credentials) {
      const at = dataPath(path, seed)
      const found = await ask(access, 'GET', at)
      if (found.status === 200) continue
      if (found.status !== 404) throw refusal(path, found)
      const values = Object.fromEntries([...keys].map(([key, source]) => [key, makeValue(source, ids)]))
      const isVersioned = at !== path
      // Somebody else may have written it meanwhile: then theirs stays.
      const body = isVersioned ? { options: { cas: 0 }, data: values } : values
      const written = await ask(access, 'POST', at, body)
      if (written.status >= 300 && written.status !== 400) throw refusal(path, written)
      if (written.status < 300) tell(`credential ${path}`, `made, with ${[...keys.keys()].join(', ')}`)
    }
    return succeed(true)
  } catch (error) {
    const cure = 'the store may be sealed: idp secret list says so'
    return fail({ code: 'store-seed-refused', message: describeError(error), cure })
  }
}

/** How many shares the key of a new store is split into, and how many of them open it. */
const shares = { secret_shares: 5, secret_threshold: 3 }

/**
 * Initialises a store that is new. What it answers, its root token and the shares of its key, is given to `keep` and nowhere
 * else. A store that is sealed stays so: that is for those who have the shares.
 */
export async function initialiseStore(
  access: AskStore,
  keep: (secrets: object) => Promise<void>,
): Promise<Result<boolean>> {
  const status = await access({ method: 'GET', path: 'sys/seal-status' })
  const { initialized, sealed } = JSON.parse(status.body) as {
    readonly initialized?: boolean
    readonly sealed?: boolean
  }
  if (initialized === true) {
    if (sealed !== true) return succeed(false)
    const cure = 'give it the shares of its key, or put its key file back and start again'
    return fail({ code: 'store-sealed', message: 'the secret store is sealed', cure })
  }
  const made = await access({ method: 'PUT', path: 'sys/init', body: JSON.stringify(shares) })
  if (made.status !== 200)
    return fail({ code: 'store-seed-refused', message: `the secret store was not initialised: HTTP ${made.status}` })
  await keep(JSON.parse(made.body) as object)
  return succeed(true)
}

async function mountAll({ mounts }: StoreSeed, access: AskStore, tell: (what: string, because: string) => void) {
  const known = await ask(access, 'GET', 'sys/mounts')
  if (known.status !== 200) throw refusal('sys/mounts', known)
  for (const { path, type, version } of mounts) {
    if (isObject(known.data[`${path}/`])) continue
    const made = await ask(access, 'POST', `sys/mounts/${path}`, { type, options: { version: String(version) } })
    if (made.status >= 300) throw refusal(path, made)
    tell(`mount ${path}`, 'it was missing')
  }
}

async function allowAll(seed: StoreSeed, access: AskStore, tell: (what: string, because: string) => void) {
  for (const { name, rules } of seed.policies) {
    const at = `sys/policies/acl/${name}`
    const known = await ask(access, 'GET', at)
    if (known.status === 200 && known.data['policy'] === rules) continue
    const written = await ask(access, 'PUT', at, { policy: rules })
    if (written.status >= 300) throw refusal(at, written)
    tell(`rules ${name}`, known.status === 200 ? 'they were different' : 'they were missing')
  }
  if (seed.roles.length === 0) return
  const enabled = await ask(access, 'GET', 'sys/auth')
  if (enabled.status !== 200) throw refusal('sys/auth', enabled)
  if (!isObject(enabled.data[`${AUTH}/`])) {
    const made = await ask(access, 'POST', `sys/auth/${AUTH}`, { type: AUTH })
    if (made.status >= 300) throw refusal(AUTH, made)
    tell('login by ServiceAccount', 'it was missing')
  }
  const config = await ask(access, 'GET', `auth/${AUTH}/config`)
  if (config.status !== 200 || !config.data['kubernetes_host']) {
    const written = await ask(access, 'POST', `auth/${AUTH}/config`, { kubernetes_host: KUBERNETES })
    if (written.status >= 300) throw refusal(AUTH, written)
  }
  for (const { name, serviceAccounts, policies, ttl } of seed.roles) {
    const at = `auth/${AUTH}/role/${name}`
    const wanted = {
      bound_service_account_names: [...new Set(serviceAccounts.map((one) => one.name))],
      bound_service_account_namespaces: [...new Set(serviceAccounts.map((one) => one.namespace))],
      token_policies: policies,
    }
    const known = await ask(access, 'GET', at)
    const isSame = Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(known.data[key], value))
    if (known.status === 200 && isSame) continue
    const written = await ask(access, 'POST', at, { ...wanted, token_ttl: ttl })
    if (written.status >= 300) throw refusal(at, written)
    tell(`role ${name}`, known.status === 200 ? 'it was different' : 'it was missing')
  }
}

/** Where a secret lies: a mount with versions has its data below `data/`. */
function dataPath(path: string, { mounts }: StoreSeed): string {
  const mount = mounts.find((one) => path.startsWith(`${one.path}/`))
  return mount?.version === 2 ? `${mount.path}/data/${path.slice(mount.path.length + 1)}` : path
}

async function ask(access: AskStore, method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Answer> {
  const answer = await access({ method, path, ...(body ? { body: JSON.stringify(body) } : {}) })
  const read = answer.body === '' ? {} : (JSON.parse(answer.body) as unknown)
  const { data, errors } = isObject(read) ? read : {}
  return {
    status: answer.status,
    data: isObject(data) ? data : {},
    errors: Array.isArray(errors) ? errors.join('; ') : '',
  }
}

const refusal = (what: string, { status, errors }: Answer): Error =>
  new Error(`the secret store refused ${what}: HTTP ${status}${errors === '' ? '' : `: ${errors}`}`)
