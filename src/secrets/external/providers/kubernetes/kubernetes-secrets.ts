import { Buffer } from 'node:buffer'
import type { Client } from '../../../../kube/client.ts'
import type { KubeObject } from '../../../../kube/object.ts'
import { fieldsOf, textMapOf, textOf } from '../../../../lib/fields.ts'
import { bytesOf, stringOf } from '../../../../lib/go-string.ts'
import { isEqual, isObject, setOwn } from '../../../../lib/json.ts'
import { compilePattern } from '../../../../lib/re2.ts'
import { succeed } from '../../../../lib/result.ts'
import type { SecretData } from '../../data/decode.ts'
import { dataAsJson, jsonText, pathOf, readJson } from '../../data/json-value.ts'
import { convertKey, withKeys } from '../../data/keys.ts'
import { failed, type Fetched, missing } from '../../data/trouble.ts'
import type { RemoteRef } from '../../spec/external-secret.ts'
import { onObject, onSecretsOf, type Track } from '../dependency.ts'
import type { PushedSecret, PushItem, SecretsClient } from '../provider.ts'

/** A way to a cluster, and what it allows. */
export interface KubernetesReach {
  readonly client: Client
  /** This very cluster, whose changes are seen. */
  readonly isHere: boolean
  /** Who we are there depends on the namespace of who asks. */
  readonly isReferent: boolean
  readonly may: (verb: string, namespace: string) => Promise<Fetched<undefined>>
}

export interface KubernetesPlace {
  readonly namespace: string
  /** The store is one for the whole cluster, so that a push may name another namespace. */
  readonly isForAll: boolean
  readonly track: Track
  readonly signal: AbortSignal
}

const resource = { group: '', version: 'v1', plural: 'secrets' }
const LABELS = 'labels'
const ANNOTATIONS = 'annotations'

/** The Secrets of a namespace of a cluster, as External Secrets reads and writes them (1.x, providers/v1/kubernetes). */
export function kubernetesSecrets(reach: KubernetesReach, place: KubernetesPlace): SecretsClient {
  const { client, isHere, isReferent, may } = reach
  const { track, signal } = place

  const read = async (name: string, namespace: string = place.namespace): Promise<Fetched<KubeObject | undefined>> => {
    if (isHere) track(onObject('Secret', namespace, name))
    const allowed = await may('get', namespace)
    if (!allowed.ok) return allowed
    const answer = await client.get({ resource, namespace, name }, { signal })
    if (answer.ok) return answer
    return answer.error.reason === 'NotFound' ? succeed(undefined) : failed(answer.error.message)
  }

  const get = async (ref: RemoteRef): Promise<Fetched<string>> => {
    const secret = await read(ref.key)
    if (!secret.ok) return secret
    if (!secret.value) return missing(`secrets ${JSON.stringify(ref.key)} not found`)
    const value =
      ref.metadataPolicy === 'Fetch' ? metadataValue(secret.value, ref.property) : dataValue(secret.value, ref.property)
    const where = ref.metadataPolicy === 'Fetch' ? 'metadata' : 'data'
    return value === undefined
      ? failed(`property ${ref.property} does not exist in ${where} of secret ${JSON.stringify(ref.key)}`)
      : succeed(value)
  }

  const write = async (object: KubeObject, before: KubeObject | undefined): Promise<Fetched<undefined>> => {
    const { namespace = '', name = '' } = object.metadata
    if (before && isEqual(before, object)) return succeed(undefined)
    const allowed = await may(before ? 'update' : 'create', namespace)
    if (!allowed.ok) return allowed
    const options = { signal, fieldManager: 'external-secrets' }
    const done = before
      ? await client.update({ resource, namespace, name }, object, options)
      : await client.create({ resource, namespace }, object, options)
    // What the cluster says of a Secret may quote it.
    return done.ok
      ? succeed(undefined)
      : failed(`the cluster refused the Secret ${namespace}/${name}: ${done.error.reason}`)
  }

  const drop = async (name: string): Promise<Fetched<undefined>> => {
    const allowed = await may('delete', place.namespace)
    if (!allowed.ok) return allowed
    const gone = await client.delete({ resource, namespace: place.namespace, name }, { signal })
    return gone.ok || gone.error.reason === 'NotFound' ? succeed(undefined) : failed(gone.error.message)
  }

  return {
    get,
    async getMap(ref) {
      const secret = await read(ref.key)
      if (!secret.ok) return secret
      if (!secret.value) return missing()
      const all: SecretData = ref.metadataPolicy === 'Fetch' ? metadataOf(secret.value) : valuesOf(secret.value)
      if (ref.property === '') return succeed(all)
      const value = all.get(ref.property) ?? pathIn(all, ref.property)
      if (value === undefined) return failed(`property ${ref.property} does not exist in key ${ref.key}`)
      const object = readJson(value)
      if (!isObject(object)) return failed('failed to unmarshal secret: invalid JSON format')
      return succeed(new Map(Object.entries(object).map(([key, item]) => [key, jsonText(item, false)])))
    },
    async find({ tags, nameRegExp, conversionStrategy }) {
      if (!tags && nameRegExp === undefined) return failed('unexpected find operator: neither name nor tags')
      if (isHere) track(onSecretsOf(place.namespace))
      const allowed = await may('list', place.namespace)
      if (!allowed.ok) return allowed
      const pattern = tags ? undefined : compilePattern(nameRegExp ?? '')
      if (pattern && !pattern.ok)
        return failed(`could not compile find.name.regexp: ${pattern.error[0]?.message ?? ''}`)
      const labelSelector = [...(tags ?? [])].map(([key, value]) => `${key}=${value}`).join(',')
      const listed = await client.list(
        { resource, namespace: place.namespace },
        { signal, ...(labelSelector === '' ? {} : { labelSelector }) },
      )
      if (!listed.ok) return failed(`unable to list secrets: ${listed.error.message}`)
      const found = listed.value.items.filter(
        ({ metadata }) => !pattern || pattern.value.matcher(metadata.name ?? '').find(),
      )
      const data = new Map(found.map((secret) => [secret.metadata.name ?? '', dataAsJson(valuesOf(secret))]))
      return withKeys(data, (key) => convertKey(conversionStrategy, key))
    },
    async push(item, secret) {
      if (item.property === '' && item.secretKey !== '') {
        return failed('requires property in RemoteRef to push secret value if secret key is defined')
      }
      const spec = fieldsOf(item.metadata, 'spec')
      const elsewhere = textOf(spec, 'remoteNamespace')
      if (elsewhere !== '' && !place.isForAll) {
        return failed('remoteNamespace override is only supported with ClusterSecretStore')
      }
      const namespace = elsewhere || place.namespace
      const before = await read(item.remoteKey, namespace)
      if (!before.ok) return before
      return write(pushedObject(item, secret, before.value, namespace), before.value)
    },
    async remove(item) {
      const before = await read(item.remoteKey)
      if (!before.ok) return before
      if (!before.value) return succeed(undefined)
      const data = Object.entries(fieldsOf(before.value, 'data'))
      if (item.property === '') return drop(item.remoteKey)
      if (!data.some(([key]) => key === item.property)) return succeed(undefined)
      if (data.length === 1) return drop(item.remoteKey)
      const left = data.filter(([key]) => key !== item.property)
      return write({ ...before.value, data: Object.fromEntries(left) }, before.value)
    },
    async exists(item) {
      const secret = await read(item.remoteKey)
      if (!secret.ok) return secret
      return succeed(secret.value !== undefined && (item.property === '' || valuesOf(secret.value).has(item.property)))
    },
    async validate() {
      if (isReferent) return succeed('unknown')
      if (isHere) {
        const allowed = await may('get', place.namespace)
        return allowed.ok ? succeed('ready') : allowed
      }
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb: 'get', namespace: place.namespace, resource: 'secrets' } },
      }
      const reviews = { resource: { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews' } }
      const made = await client.create(reviews, review, { signal })
      if (!made.ok) return failed(`could not verify if client is valid: ${made.error.message}`)
      return fieldsOf(made.value, 'status')['allowed'] === true
        ? succeed('ready')
        : failed('client is not allowed to get secrets')
    },
  }
}

const valuesOf = (secret: KubeObject): SecretData =>
  new Map([...textMapOf(secret, 'data')].map(([key, value]) => [key, stringOf(Buffer.from(value, 'base64'))]))

const metadataOf = ({ metadata }: KubeObject): SecretData =>
  new Map([
    [LABELS, dataAsJson(textMapOf(metadata, 'labels'))],
    [ANNOTATIONS, dataAsJson(textMapOf(metadata, 'annotations'))],
  ])

function dataValue(secret: KubeObject, property: string): string | undefined {
  const data = valuesOf(secret)
  if (property === '') return dataAsJson(data)
  return data.get(property) ?? pathIn(data, property)
}

/** What stands behind the first dot is a path in the JSON of the key before it. */
function pathIn(data: SecretData, property: string): string | undefined {
  const dot = property.indexOf('.')
  const value = dot > 0 && dot < property.length - 1 ? data.get(property.slice(0, dot)) : undefined
  const object = value === undefined ? undefined : readJson(value)
  return object === undefined ? undefined : pathOf(object, property.slice(dot + 1))
}

function metadataValue({ metadata }: KubeObject, property: string): string | undefined {
  if (property === '') {
    const whole = { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} }
    return jsonText(whole, false)
  }
  const [first, name, ...rest] = property.split('.')
  if (first !== LABELS && first !== ANNOTATIONS) return undefined
  const all = textMapOf(metadata, first)
  // Names of labels have dots in them.
  const whole = all.get(property.slice(first.length + 1))
  if (whole !== undefined) return whole
  if (name === undefined) return dataAsJson(all)
  const value = all.get(name)
  if (value === undefined || rest.length === 0) return value
  const object = readJson(value)
  return object === undefined ? undefined : pathOf(object, rest.join('.'))
}

function pushedObject(
  item: PushItem,
  secret: PushedSecret,
  before: KubeObject | undefined,
  namespace: string,
): KubeObject {
  const spec = fieldsOf(item.metadata, 'spec')
  const merges = (field: 'source' | 'target'): boolean => textOf(spec, `${field}MergePolicy`) !== 'Replace'
  const source = (field: 'labels' | 'annotations'): SecretData =>
    merges('source') ? new Map([...secret[field], ...textMapOf(spec, field)]) : textMapOf(spec, field)
  const target = (field: 'labels' | 'annotations'): Record<string, string> =>
    Object.fromEntries(new Map([...(merges('target') ? textMapOf(before?.metadata, field) : []), ...source(field)]))
  const data: Record<string, string> =
    item.property === '' ? {} : { ...(fieldsOf(before, 'data') as Record<string, string>) } // as the API has it
  const put = (key: string, value: string): void => setOwn(data, key, Buffer.from(bytesOf(value)).toString('base64'))
  if (item.property === '') for (const [key, value] of secret.data) put(key, value)
  else put(item.property, item.secretKey === '' ? dataAsJson(secret.data) : (secret.data.get(item.secretKey) ?? ''))
  return {
    ...(before ?? { apiVersion: 'v1', kind: 'Secret' }),
    metadata: {
      ...(before?.metadata ?? { name: item.remoteKey, namespace }),
      ...some('labels', target('labels')),
      ...some('annotations', target('annotations')),
    },
    type: secret.type || 'Opaque',
    data,
  }
}

const some = (field: string, values: Record<string, string>): Record<string, unknown> =>
  Object.keys(values).length > 0 ? { [field]: values } : {}
