import { type Fields, numberOf, objectsOf, textOf } from '../../../lib/fields.ts'
import { compilePattern } from '../../../lib/re2.ts'
import { succeed } from '../../../lib/result.ts'
import { dataOfJson, pathOf, readJson } from '../data/json-value.ts'
import { convertKey, withKeys } from '../data/keys.ts'
import { failed, type Fetched, missing } from '../data/trouble.ts'
import type { RemoteRef } from '../spec/external-secret.ts'
import type { SecretStore } from '../spec/secret-store.ts'
import type { Provider, SecretsClient, StoreProblems } from './provider.ts'

interface Entry {
  readonly key: string
  readonly version: string
  readonly value: string
}

const entriesOf = (fields: Fields): readonly Entry[] =>
  (objectsOf(fields, 'data') ?? []).map((item) => ({
    key: textOf(item, 'key'),
    version: textOf(item, 'version'),
    value: textOf(item, 'value'),
  }))

const idOf = ({ metadata, kind }: SecretStore): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`

const UNKNOWN = 1
const BROKEN = 2

/** What can be told of a fake store from itself alone. */
export function checkFake(_store: SecretStore, fields: Fields): StoreProblems {
  const errors = entriesOf(fields).flatMap(({ key, value }, index) => {
    if (key === '') return [`key must be set in data ${index}`]
    return value === '' ? [`at least one value must be set in data ${index}`] : []
  })
  return { errors, warnings: [] }
}

/** Secrets that stand in the store itself, and those that were pushed to it, for as long as this process lives. */
export function fakeProvider(): Provider {
  const pushed = new Map<string, Map<string, string>>()
  return {
    name: 'fake',
    capabilities: 'ReadWrite',
    open({ store, fields }) {
      const own = pushed.get(idOf(store)) ?? new Map<string, string>()
      pushed.set(idOf(store), own)
      return Promise.resolve(succeed(fakeClient(fields, own)))
    },
  }
}

function fakeClient(fields: Fields, pushed: Map<string, string>): SecretsClient {
  const entries = entriesOf(fields)
  const all: readonly Entry[] = [...[...pushed].map(([key, value]) => ({ key, version: '', value })), ...entries]
  const valueOf = ({ key, version, property }: RemoteRef): Fetched<string> => {
    const entry = all.findLast((one) => one.key === key && one.version === version)
    if (!entry) return missing()
    if (property === '') return succeed(entry.value)
    const value = readJson(entry.value)
    const found = value === undefined ? undefined : pathOf(value, property)
    return found === undefined ? missing() : succeed(found)
  }
  return {
    get: (ref) => Promise.resolve(valueOf(ref)),
    getMap(ref) {
      const value = valueOf(ref)
      return Promise.resolve(value.ok ? dataOfJson(value.value) : value)
    },
    find({ nameRegExp, conversionStrategy }) {
      if (nameRegExp === undefined)
        return Promise.resolve(failed('unsupported find operator: the fake provider finds by name alone'))
      const pattern = compilePattern(nameRegExp)
      if (!pattern.ok) return Promise.resolve(failed(pattern.error[0]?.message ?? ''))
      const newest = new Map<string, Entry>()
      for (const entry of all) {
        const known = newest.get(entry.key)
        if (pattern.value.matcher(entry.key).find() && (!known || known.version < entry.version))
          newest.set(entry.key, entry)
      }
      const found = new Map([...newest].map(([key, { value }]) => [key, value]))
      return Promise.resolve(withKeys(found, (key) => convertKey(conversionStrategy, key)))
    },
    push({ secretKey, remoteKey }, secret) {
      if (entries.some(({ key, version }) => key === remoteKey && version === ''))
        return Promise.resolve(failed('key already exists'))
      pushed.set(remoteKey, secret.data.get(secretKey) ?? '')
      return Promise.resolve(succeed(undefined))
    },
    remove({ remoteKey }) {
      pushed.delete(remoteKey)
      return Promise.resolve(succeed(undefined))
    },
    exists: ({ remoteKey }) => Promise.resolve(succeed(all.some(({ key }) => key === remoteKey))),
    validate() {
      const result = numberOf(fields, 'validationResult')
      if (result === BROKEN) return Promise.resolve(failed('unable to validate'))
      return Promise.resolve(succeed(result === UNKNOWN ? 'unknown' : 'ready'))
    },
  }
}
