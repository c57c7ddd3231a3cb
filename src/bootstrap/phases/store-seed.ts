import type { FileTree } from '../../lib/file-tree.ts'
import type { Ids } from '../../lib/ids.ts'
import { isObject } from '../../lib/json.ts'
import { randomText } from '../../lib/random-text.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'

/** What a secret store begins with, as declared. It holds no secret: those are generated. */
export interface StoreSeed {
  readonly mounts: readonly { readonly path: string; readonly type: string; readonly version: number }[]
  readonly policies: readonly { readonly name: string; readonly rules: string }[]
  readonly roles: readonly StoreRole[]
  readonly credentials: readonly Credential[]
}

export interface StoreRole {
  readonly name: string
  readonly serviceAccounts: readonly { readonly namespace: string; readonly name: string }[]
  readonly policies: readonly string[]
  readonly ttl: string
}

/** One secret of the store: its path with the mount in front, and how each of its keys is made. */
export interface Credential {
  readonly path: string
  readonly keys: ReadonlyMap<string, KeySource>
}

export type KeySource =
  | { readonly value: string }
  | { readonly generate: 'password' | 'token' | 'hex'; readonly length: number }
  | { readonly generate: 'uuid' }

const FILE = 'seed.yaml'
const MOST_CHARS = 256 * 1024
const LONGEST = 1_024

/** Reads `seed.yaml` of a phase's folder; undefined where there is none. All that is wrong is said at once. */
export function readStoreSeed(tree: FileTree, folder: string): Result<StoreSeed | undefined> {
  const path = `${folder}/${FILE}`
  const bytes = tree.read(path)
  if (!bytes) return succeed(undefined)
  const parsed = parseYaml(new TextDecoder().decode(bytes), { file: path, duplicates: 'reject', maxChars: MOST_CHARS })
  if (!parsed.ok) return parsed
  const problems: Problem[] = []
  const wrong = (at: string, message: string): undefined => {
    problems.push({ code: 'store-seed-invalid', at: `${path}: ${at}`, message })
    return undefined
  }
  const whole = isObject(parsed.value) ? parsed.value : {}
  const list = (key: string): readonly unknown[] => {
    const value = whole[key] ?? []
    return Array.isArray(value) ? value : (wrong(key, 'is not a list'), [])
  }
  for (const key of Object.keys(whole)) {
    if (!['mounts', 'policies', 'roles', 'credentials'].includes(key)) wrong(key, 'is not known here')
  }
  const seed: StoreSeed = {
    mounts: list('mounts').flatMap((one, at) => {
      const { path: mount, type = 'kv', version = 2 } = isObject(one) ? one : {}
      if (isText(mount) && type === 'kv' && (version === 1 || version === 2)) return { path: mount, type, version }
      return wrong(`mounts[${at}]`, 'needs a path; its type is kv, its version 1 or 2') ?? []
    }),
    policies: list('policies').flatMap((one, at) => {
      const { name, file } = isObject(one) ? one : {}
      const rules = isText(file) ? tree.read(`${folder}/${file}`) : undefined
      if (!isText(name)) return wrong(`policies[${at}]`, 'needs a name') ?? []
      if (!rules) return wrong(`policies[${at}].file`, `there is no file ${String(file)}`) ?? []
      return { name, rules: new TextDecoder().decode(rules) }
    }),
    roles: list('roles').flatMap((one, at) => {
      const { name, serviceAccounts, policies, ttl = '1h' } = isObject(one) ? one : {}
      const accounts = Array.isArray(serviceAccounts) ? serviceAccounts.flatMap(accountOf) : []
      const isWhole =
        isText(name) && isText(ttl) && accounts.length > 0 && Array.isArray(policies) && policies.every(isText)
      if (isWhole) return { name, serviceAccounts: accounts, policies, ttl }
      return wrong(`roles[${at}]`, 'needs a name, serviceAccounts with namespace and name, and policies') ?? []
    }),
    credentials: list('credentials').flatMap((one, at) => {
      const { path: secret, keys } = isObject(one) ? one : {}
      if (!isText(secret) || !/^[^/].*\/[^/]+$/.test(secret) || secret.includes('..') || !isObject(keys)) {
        return wrong(`credentials[${at}]`, 'needs a path such as secret/platform/admin, and keys') ?? []
      }
      const made = Object.entries(keys).flatMap(([key, how]) => {
        const source = sourceOf(how)
        return source ? [[key, source] as const] : (wrong(`credentials[${at}].keys.${key}`, HOW) ?? [])
      })
      return { path: secret, keys: new Map(made) }
    }),
  }
  return problems.length === 0 ? succeed(seed) : fail(...problems)
}

const HOW = 'says either value: TEXT, or generate: password, token, hex (with a length) or uuid'

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function accountOf(value: unknown): StoreRole['serviceAccounts'] {
  const { namespace, name } = isObject(value) ? value : {}
  return isText(namespace) && isText(name) ? [{ namespace, name }] : []
}

function sourceOf(how: unknown): KeySource | undefined {
  const { value, generate, length = 32 } = isObject(how) ? how : {}
  if (isText(value)) return generate === undefined ? { value } : undefined
  if (generate === 'uuid') return { generate }
  if (generate !== 'password' && generate !== 'token' && generate !== 'hex') return undefined
  const isLength = typeof length === 'number' && Number.isInteger(length) && length >= 8 && length <= LONGEST
  return isLength ? { generate, length } : undefined
}

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const HEX = '0123456789abcdef'

/** Makes the value of a key. */
export function makeValue(source: KeySource, ids: Ids): string {
  if ('value' in source) return source.value
  if (source.generate === 'uuid') return ids.uid()
  const letters = source.generate === 'password' ? LETTERS : source.generate === 'token' ? URL_SAFE : HEX
  return randomText(letters, source.length, ids)
}
