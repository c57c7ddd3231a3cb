import type { KubeObject } from '../../../kube/object.ts'
import { parseDuration, millisecondsOf } from '../../../lib/duration.ts'
import { type Fields, fieldsOf, isSet, objectsOf, textMapOf, textOf, textsOf } from '../../../lib/fields.ts'
import { isObject, own } from '../../../lib/json.ts'
import type { Condition } from '../../../kube/condition.ts'
import type { Rewrite } from '../data/rewrite.ts'
import { parseTemplate, type SecretTemplate } from './secret-template.ts'

/** Which store is meant. */
export interface StoreRef {
  readonly kind: string
  readonly name: string
}

export interface GeneratorRef {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
}

/** What is asked of a store; '' where nothing is said. */
export interface RemoteRef {
  readonly key: string
  readonly property: string
  readonly version: string
  readonly metadataPolicy: string
  readonly conversionStrategy: string
  readonly decodingStrategy: string
  readonly nullBytePolicy: string
}

/** Which secrets of a store are wanted: those whose name matches, or those that carry the tags. */
export interface Find {
  readonly path: string | undefined
  readonly nameRegExp: string | undefined
  readonly tags: ReadonlyMap<string, string> | undefined
  readonly conversionStrategy: string
  readonly decodingStrategy: string
  readonly nullBytePolicy: string
}

/** One key of the Secret. */
export interface DataItem {
  readonly secretKey: string
  readonly remoteRef: RemoteRef
  readonly store: StoreRef | undefined
  /** A generator cannot make one key; the schema lets one be named all the same. */
  readonly namesGenerator: boolean
}

/** Several keys of the Secret. */
export interface DataFromItem {
  readonly extract: RemoteRef | undefined
  readonly find: Find | undefined
  readonly rewrite: readonly Rewrite[]
  readonly store: StoreRef | undefined
  readonly generator: GeneratorRef | undefined
  readonly hasSource: boolean
}

export interface SyncWindows {
  readonly kind: string
  readonly windows: readonly { readonly schedule: string; readonly durationMs: number }[]
}

export interface Target {
  readonly name: string
  readonly creationPolicy: string
  readonly deletionPolicy: string
  readonly isImmutable: boolean
  readonly template: SecretTemplate | undefined
  readonly manifest: { readonly apiVersion: string; readonly kind: string } | undefined
}

/** Where secrets come from, what becomes of them, and when. */
export interface ExternalSecretSpec {
  readonly store: StoreRef | undefined
  readonly data: readonly DataItem[]
  readonly dataFrom: readonly DataFromItem[]
  readonly target: Target
  readonly refreshPolicy: string
  readonly refreshIntervalMs: number
  readonly syncWindows: SyncWindows | undefined
}

export interface ExternalSecretStatus {
  readonly conditions: readonly Condition[]
  readonly refreshTime: string
  readonly syncedResourceVersion: string
  readonly binding: string
}

/** An ExternalSecret as it is worked on. */
export interface ExternalSecret extends KubeObject {
  readonly parsed: { readonly spec: ExternalSecretSpec; readonly status: ExternalSecretStatus }
}

const HOUR_MS = 3_600_000

/** Milliseconds of a Go duration; what cannot be read is the other one. */
export function durationMs(text: string, otherwise: number): number {
  const read = text === '' ? undefined : parseDuration(text)
  return read?.ok === true ? millisecondsOf(read.value) : otherwise
}

function storeRefOf(object: unknown, key: string): StoreRef | undefined {
  const ref = fieldsOf(object, key)
  const name = textOf(ref, 'name')
  return name === '' ? undefined : { kind: textOf(ref, 'kind') || 'SecretStore', name }
}

function generatorRefOf(object: unknown): GeneratorRef | undefined {
  const ref = fieldsOf(object, 'generatorRef')
  const name = textOf(ref, 'name')
  return name === ''
    ? undefined
    : {
        apiVersion: textOf(ref, 'apiVersion') || 'generators.external-secrets.io/v1alpha1',
        kind: textOf(ref, 'kind'),
        name,
      }
}

/** What is asked of a store, as `remoteRef` and `extract` say it. */
export const remoteRefOf = (ref: Fields): RemoteRef => ({
  key: textOf(ref, 'key'),
  property: textOf(ref, 'property'),
  version: textOf(ref, 'version'),
  metadataPolicy: textOf(ref, 'metadataPolicy'),
  conversionStrategy: textOf(ref, 'conversionStrategy'),
  decodingStrategy: textOf(ref, 'decodingStrategy'),
  nullBytePolicy: textOf(ref, 'nullBytePolicy'),
})

const findOf = (find: Fields): Find => {
  const path = own(find, 'path')
  return {
    path: typeof path === 'string' ? path : undefined,
    nameRegExp: isObject(own(find, 'name')) ? textOf(fieldsOf(find, 'name'), 'regexp') : undefined,
    tags: isObject(own(find, 'tags')) ? textMapOf(find, 'tags') : undefined,
    conversionStrategy: textOf(find, 'conversionStrategy'),
    decodingStrategy: textOf(find, 'decodingStrategy'),
    nullBytePolicy: textOf(find, 'nullBytePolicy'),
  }
}

/** The steps under `rewrite`; one that says nothing is left out. */
export function rewritesOf(object: unknown): readonly Rewrite[] {
  return (objectsOf(object, 'rewrite') ?? []).flatMap((step): readonly Rewrite[] => {
    if (isObject(own(step, 'merge'))) {
      const merge = fieldsOf(step, 'merge')
      return [
        {
          by: 'merge',
          into: textOf(merge, 'into'),
          priority: textsOf(merge, 'priority') ?? [],
          strategy: textOf(merge, 'strategy') || 'Extract',
          conflictPolicy: textOf(merge, 'conflictPolicy') || 'Error',
          priorityPolicy: textOf(merge, 'priorityPolicy') || 'Strict',
        },
      ]
    }
    if (isObject(own(step, 'regexp'))) {
      const regexp = fieldsOf(step, 'regexp')
      return [{ by: 'regexp', source: textOf(regexp, 'source'), target: textOf(regexp, 'target') }]
    }
    if (!isObject(own(step, 'transform'))) return []
    return [{ by: 'transform', template: textOf(fieldsOf(step, 'transform'), 'template') }]
  })
}

function dataFromOf(item: Fields): DataFromItem {
  const source = fieldsOf(item, 'sourceRef')
  return {
    extract: isObject(own(item, 'extract')) ? remoteRefOf(fieldsOf(item, 'extract')) : undefined,
    find: isObject(own(item, 'find')) ? findOf(fieldsOf(item, 'find')) : undefined,
    rewrite: rewritesOf(item),
    store: storeRefOf(source, 'storeRef'),
    generator: generatorRefOf(source),
    hasSource: isObject(own(item, 'sourceRef')),
  }
}

function targetOf(spec: Fields): Target {
  const target = fieldsOf(spec, 'target')
  const manifest = fieldsOf(target, 'manifest')
  const template = own(target, 'template')
  return {
    name: textOf(target, 'name'),
    creationPolicy: textOf(target, 'creationPolicy') || 'Owner',
    deletionPolicy: textOf(target, 'deletionPolicy') || 'Retain',
    isImmutable: isSet(target, 'immutable'),
    template: isObject(template) ? parseTemplate(template) : undefined,
    manifest: isObject(own(target, 'manifest'))
      ? { apiVersion: textOf(manifest, 'apiVersion'), kind: textOf(manifest, 'kind') }
      : undefined,
  }
}

/** The spec of an ExternalSecret, or of what makes ExternalSecrets. */
export function parseSpec(spec: Fields): ExternalSecretSpec {
  const windows = fieldsOf(spec, 'syncWindows')
  const listed = (objectsOf(windows, 'windows') ?? []).map((window) => ({
    schedule: textOf(window, 'schedule'),
    durationMs: durationMs(textOf(window, 'duration'), 0),
  }))
  return {
    store: storeRefOf(spec, 'secretStoreRef'),
    data: (objectsOf(spec, 'data') ?? []).map((item) => ({
      secretKey: textOf(item, 'secretKey'),
      remoteRef: remoteRefOf(fieldsOf(item, 'remoteRef')),
      store: storeRefOf(fieldsOf(item, 'sourceRef'), 'storeRef'),
      namesGenerator: generatorRefOf(fieldsOf(item, 'sourceRef')) !== undefined,
    })),
    dataFrom: (objectsOf(spec, 'dataFrom') ?? []).map(dataFromOf),
    target: targetOf(spec),
    refreshPolicy: textOf(spec, 'refreshPolicy') || 'Periodic',
    refreshIntervalMs: durationMs(textOf(spec, 'refreshInterval'), HOUR_MS),
    syncWindows: listed.length === 0 ? undefined : { kind: textOf(windows, 'kind'), windows: listed },
  }
}

/** The conditions of a status, in their order. */
export function conditionsOf(status: Fields): readonly Condition[] {
  return (objectsOf(status, 'conditions') ?? []).map((condition) => condition as unknown as Condition) // as the API server's schema has it
}

/** Makes the typed object of an informer. */
export function parseExternalSecret(object: KubeObject): ExternalSecret {
  const status = fieldsOf(object, 'status')
  return {
    ...object,
    parsed: {
      spec: parseSpec(fieldsOf(object, 'spec')),
      status: {
        conditions: conditionsOf(status),
        refreshTime: textOf(status, 'refreshTime'),
        syncedResourceVersion: textOf(status, 'syncedResourceVersion'),
        binding: textOf(fieldsOf(status, 'binding'), 'name'),
      },
    },
  }
}

/** The name of the Secret that is written: its own, or that of the ExternalSecret. */
export const targetName = (secret: ExternalSecret): string =>
  secret.parsed.spec.target.name || (secret.metadata.name ?? '')

/** Every store that is named, with those of single items. */
export function storesOf(spec: ExternalSecretSpec): readonly StoreRef[] {
  return [spec.store, ...spec.data.map(({ store }) => store), ...spec.dataFrom.map(({ store }) => store)].flatMap(
    (store) => store ?? [],
  )
}
