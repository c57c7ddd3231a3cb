import { fieldsOf, numberOf } from '../../../../lib/fields.ts'
import { isEqual, type Json, setOwn } from '../../../../lib/json.ts'
import { compilePattern } from '../../../../lib/re2.ts'
import { succeed } from '../../../../lib/result.ts'
import { dataOf as valuesOf, dataAsJson, jsonText, propertyOf, readJson, valueText } from '../../data/json-value.ts'
import { failed, type Fetched, missing, within } from '../../data/trouble.ts'
import type { RemoteRef } from '../../spec/external-secret.ts'
import { onVault, onVaultPath, onVaultTree, type Track } from '../dependency.ts'
import type { PushedSecret, PushItem, SecretsClient } from '../provider.ts'
import { dataPath, metadataPath, placeOf, type VaultPlace } from './paths.ts'
import { dataOf, type VaultAnswer, type VaultRequest } from './vault-api.ts'

type Values = Readonly<Record<string, Json>>

/** Asks as whoever the store says; an answer is never a refusal. */
export type Ask = (request: Omit<VaultRequest, 'token' | 'namespace'>) => Promise<Fetched<VaultAnswer>>

export interface VaultClientOptions {
  readonly place: VaultPlace
  readonly ask: Ask
  readonly track: Track
  readonly needsCas: boolean
  readonly validate: SecretsClient['validate']
}

const READ = 'cannot read secret data from Vault'
const MANAGER = 'external-secrets'
const SYSTEM_METADATA = ['created_time', 'current_version', 'delete_version_after'] as const
/** A tree of secrets deeper or larger than this is not searched. */
const DEEPEST = 20
const MOST = 10_000

/** The secrets of one Vault, as External Secrets reads and writes them (1.x, providers/v1/vault). */
export function vaultClient(options: VaultClientOptions): SecretsClient {
  const { place, ask, track, needsCas, validate } = options

  const read = async (key: string, version: string): Promise<Fetched<Values>> => {
    const { mount, path } = placeOf(place, key)
    track(onVault)
    track(onVaultPath(mount, path))
    const query = version === '' ? {} : { query: new URLSearchParams({ version }).toString() }
    const answer = await ask({ method: 'GET', path: dataPath(place, key), ...query })
    if (!answer.ok) return within(READ, answer.error)
    const data = dataOf(answer.value)
    if (!data) return missing()
    if (place.version === 'v1') return answer.value.status === 404 ? missing() : succeed(data)
    if (!Object.hasOwn(data, 'data')) {
      return answer.value.status === 404
        ? missing()
        : failed(`${READ}: the answer has no data; is this a KV engine of version 2?`)
    }
    if (data['data'] === null) return missing()
    return succeed(fieldsOf(data, 'data') as Values) // of JSON
  }

  const metadataOf = async (key: string): Promise<Fetched<ReadonlyMap<string, string>>> => {
    const path = metadataPath(place, key)
    if (path === undefined) return failed("provided Path isn't a valid kv v2 path")
    const answer = await ask({ method: 'GET', path })
    if (!answer.ok) return within(READ, answer.error)
    const data = dataOf(answer.value)
    if (!data || answer.value.status === 404) return failed('secret not found')
    const system =
      place.version === 'v2'
        ? SYSTEM_METADATA.flatMap((name) =>
            data[name] === undefined || data[name] === null ? [] : [[name, data[name]] as const],
          )
        : []
    const own = Object.entries(fieldsOf(data, 'custom_metadata') as Values) // of JSON
    return succeed(new Map([...system, ...own].map(([name, value]) => [name, valueText(value)])))
  }

  const get = async (ref: RemoteRef): Promise<Fetched<string>> => {
    if (ref.metadataPolicy === 'Fetch') {
      if (place.version === 'v1') return failed('cannot perform metadata fetch operations with kv version v1')
      const { mount, path } = placeOf(place, ref.key)
      track(onVaultPath(mount, path))
      const metadata = await metadataOf(ref.key)
      return metadata.ok ? chosen(readJson(dataAsJson(metadata.value)) as Values, ref.property) : metadata
    }
    const data = await read(ref.key, ref.version)
    return data.ok ? chosen(data.value, ref.property) : data
  }

  const list = async (path: string, depth: number): Promise<Fetched<readonly string[]>> => {
    const url = metadataPath(place, path)
    if (url === undefined) return failed("provided Path isn't a valid kv v2 path")
    const answer = await ask({ method: 'LIST', path: url.replace(/\/+$/, '') })
    if (!answer.ok) return within(READ, answer.error)
    if (answer.value.status === 404) return missing()
    const keys = dataOf(answer.value)?.['keys']
    const found: string[] = []
    for (const key of Array.isArray(keys) ? keys : []) {
      if (typeof key !== 'string') continue
      if (!key.endsWith('/')) found.push(path + key)
      else if (depth >= DEEPEST) return failed(`${JSON.stringify(path)} has more than ${DEEPEST} levels below it`)
      else {
        const below = await list(path + key, depth + 1)
        if (!below.ok) return below
        found.push(...below.value)
      }
      if (found.length > MOST) return failed(`there are more than ${MOST} secrets; name a path to search less`)
    }
    return succeed(found)
  }

  /** Another manager's secrets are not touched. */
  const isOurs = async (key: string): Promise<Fetched<boolean>> => {
    const metadata = await metadataOf(key)
    return metadata.ok ? succeed(metadata.value.get('managed-by') === MANAGER) : metadata
  }

  return {
    get,
    async getMap(ref) {
      const value = await get(ref)
      if (!value.ok) return value
      const data = valuesOf(readJson(value.value) ?? null)
      return data.ok ? data : failed('the secret is not a JSON object, so its keys cannot be taken apart')
    },
    async find({ path, nameRegExp, tags }) {
      if (place.version === 'v1' && tags) return failed('cannot perform find by tag operations with kv version v1')
      const pattern = nameRegExp === undefined ? undefined : compilePattern(nameRegExp)
      if (pattern && !pattern.ok)
        return failed(`could not compile find.name.regexp: ${pattern.error[0]?.message ?? ''}`)
      const start = path === undefined ? '' : `${path}/`
      const { mount, path: below } = placeOf(place, start)
      track(onVault)
      track(onVaultTree(mount, below))
      const names = await list(start, 0)
      if (!names.ok) return names
      const found = new Map<string, string>()
      for (const name of names.value) {
        if (pattern ? !pattern.value.matcher(name).find() : !(await hasTags(name, tags ?? new Map()))) continue
        const value = await get({ ...PLAIN, key: name })
        if (value.ok) found.set(name, value.value)
        else if (value.error.why !== 'missing') return value
      }
      return succeed(found)
    },
    async push(item, secret) {
      const known = await read(item.remoteKey, '')
      if (!known.ok && known.error.why !== 'missing') return known
      if (known.ok) {
        const ours = await isOurs(item.remoteKey)
        if (!ours.ok) return ours
        if (!ours.value) return failed('secret not managed by external-secrets')
      }
      const wanted = pushedValues(item, secret, known.ok ? withoutLabel(place, known.value) : {})
      if (!wanted.ok) return wanted
      if (known.ok && isEqual(withoutLabel(place, known.value), wanted.value)) return succeed(undefined)
      return write(item.remoteKey, wanted.value, known.ok)
    },
    async remove(item) {
      const known = await read(item.remoteKey, '')
      if (!known.ok) return known.error.why === 'missing' ? succeed(undefined) : known
      const ours = await isOurs(item.remoteKey)
      if (!ours.ok) return ours
      if (!ours.value) return succeed(undefined)
      const left = Object.entries(withoutLabel(place, known.value)).filter(([key]) => key !== item.property)
      if (item.property !== '' && left.length > 0) return write(item.remoteKey, Object.fromEntries(left), true)
      for (const path of place.version === 'v2'
        ? [dataPath(place, item.remoteKey), metadataPath(place, item.remoteKey)]
        : [dataPath(place, item.remoteKey)]) {
        const gone = path === undefined ? undefined : await ask({ method: 'DELETE', path })
        if (gone && !gone.ok) return within(`could not delete secret ${item.remoteKey}`, gone.error)
      }
      return succeed(undefined)
    },
    async exists(item) {
      const known = await read(item.remoteKey, '')
      if (!known.ok) return known.error.why === 'missing' ? succeed(false) : known
      return succeed(item.property === '' || propertyOf(known.value, item.property) !== undefined)
    },
    validate,
  }

  async function hasTags(name: string, tags: ReadonlyMap<string, string>): Promise<boolean> {
    const metadata = await metadataOf(name)
    return metadata.ok && [...tags].every(([tag, value]) => metadata.value.get(tag) === value)
  }

  async function write(key: string, values: Values, exists: boolean): Promise<Fetched<undefined>> {
    const label = { custom_metadata: { 'managed-by': MANAGER } }
    const hide = Object.values(values).flatMap((value) => (typeof value === 'string' ? value : []))
    const path = dataPath(place, key)
    if (place.version === 'v1') {
      const done = await ask({ method: 'POST', path, body: { ...values, ...label }, hide })
      return done.ok ? succeed(undefined) : done
    }
    const cas = needsCas ? await currentVersion(key, exists) : succeed(0)
    if (!cas.ok) return within('failed to get CAS version', cas.error)
    const labelled = await ask({ method: 'POST', path: metadataPath(place, key) ?? path, body: label })
    if (!labelled.ok) return labelled
    const body = { data: values, ...(needsCas ? { options: { cas: cas.value } } : {}) }
    const done = await ask({ method: 'POST', path, body, hide })
    return done.ok ? succeed(undefined) : done
  }

  async function currentVersion(key: string, exists: boolean): Promise<Fetched<number>> {
    if (!exists) return succeed(0)
    const answer = await ask({ method: 'GET', path: metadataPath(place, key) ?? '' })
    return answer.ok ? succeed(numberOf(dataOf(answer.value), 'current_version') ?? 1) : answer
  }
}

const PLAIN = {
  property: '',
  version: '',
  metadataPolicy: '',
  conversionStrategy: '',
  decodingStrategy: '',
  nullBytePolicy: '',
}

function chosen(data: Values, property: string): Fetched<string> {
  if (property === '') return succeed(jsonText(data))
  const value = propertyOf(data, property)
  return value === undefined ? failed(`cannot find secret data for key: ${JSON.stringify(property)}`) : succeed(value)
}

/** The values of a secret of the first version without the label that we keep among them. */
function withoutLabel({ version }: VaultPlace, values: Values): Values {
  return version === 'v1'
    ? Object.fromEntries(Object.entries(values).filter(([key]) => key !== 'custom_metadata'))
    : values
}

/** What is to be there after a push, together with what is there already. */
function pushedValues({ secretKey, property }: PushItem, secret: PushedSecret, known: Values): Fetched<Values> {
  const value = secretKey === '' ? dataAsJson(secret.data) : (secret.data.get(secretKey) ?? '')
  if (property !== '') {
    const before = Object.hasOwn(known, property) ? known[property] : undefined
    if (before !== undefined && typeof before !== 'string') return failed(`error converting ${property} to string`)
    const values: Record<string, Json> = { ...known }
    setOwn<Json>(values, property, value)
    return succeed(values)
  }
  const read = readJson(value)
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    return failed('error unmarshalling incoming secret value: it is not a JSON object; name a property to push it to')
  }
  return succeed(read as Values)
}
