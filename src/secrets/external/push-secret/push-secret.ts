import type { Condition } from '../../../kube/condition.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { type Fields, fieldsOf, objectsOf, textOf } from '../../../lib/fields.ts'
import { isObject, own } from '../../../lib/json.ts'
import type { Rewrite } from '../data/rewrite.ts'
import { conditionsOf, durationMs, type GeneratorRef, rewritesOf } from '../spec/external-secret.ts'
import { parseTemplate, type SecretTemplate } from '../spec/secret-template.ts'

/** The stores that are pushed to: one by name, or those with labels. */
export interface PushStoreRef {
  readonly kind: string
  readonly name: string
  readonly labelSelector: Fields | undefined
}

/** One push, as it is said in the spec and kept in the status. */
export interface PushEntry {
  readonly secretKey: string
  readonly remoteKey: string
  readonly property: string
  readonly conversionStrategy: string
  readonly metadata: unknown
  /** The entry as it was written, so that the status can hold it. */
  readonly source: Fields
}

/** Pushes for every key that matches. */
export interface PushEach {
  readonly store: PushStoreRef | undefined
  readonly match: string
  readonly remoteKey: string
  readonly rewrite: readonly Rewrite[]
  readonly conversionStrategy: string
  readonly metadata: unknown
}

export interface PushSecretSpec {
  readonly stores: readonly PushStoreRef[]
  readonly secretName: string
  readonly secretSelector: Fields | undefined
  readonly generator: GeneratorRef | undefined
  readonly data: readonly PushEntry[]
  readonly dataTo: readonly PushEach[]
  readonly template: SecretTemplate | undefined
  readonly updatePolicy: string
  readonly deletionPolicy: string
  readonly refreshIntervalMs: number
}

/** What was pushed, by store and by where it went. */
export type Synced = ReadonlyMap<string, ReadonlyMap<string, PushEntry>>

/** A PushSecret as it is worked on. */
export interface PushSecret extends KubeObject {
  readonly parsed: {
    readonly spec: PushSecretSpec
    readonly status: {
      readonly conditions: readonly Condition[]
      readonly refreshTime: string
      readonly syncedResourceVersion: string
      readonly synced: Synced
    }
  }
}

const HOUR_MS = 3_600_000

const storeRefOf = (ref: Fields): PushStoreRef => ({
  kind: textOf(ref, 'kind') || 'SecretStore',
  name: textOf(ref, 'name'),
  labelSelector: isObject(own(ref, 'labelSelector')) ? fieldsOf(ref, 'labelSelector') : undefined,
})

/** One entry of `data`, or of the status. */
export function entryOf(source: Fields): PushEntry {
  const match = fieldsOf(source, 'match')
  const ref = fieldsOf(match, 'remoteRef')
  return {
    secretKey: textOf(match, 'secretKey'),
    remoteKey: textOf(ref, 'remoteKey'),
    property: textOf(ref, 'property'),
    conversionStrategy: textOf(source, 'conversionStrategy') || 'None',
    metadata: own(source, 'metadata'),
    source,
  }
}

function parseSpec(spec: Fields): PushSecretSpec {
  const selector = fieldsOf(spec, 'selector')
  const secret = fieldsOf(selector, 'secret')
  const generator = fieldsOf(selector, 'generatorRef')
  const template = own(spec, 'template')
  return {
    stores: (objectsOf(spec, 'secretStoreRefs') ?? []).map(storeRefOf),
    secretName: textOf(secret, 'name'),
    secretSelector: isObject(own(secret, 'selector')) ? fieldsOf(secret, 'selector') : undefined,
    generator:
      textOf(generator, 'name') === ''
        ? undefined
        : {
            apiVersion: textOf(generator, 'apiVersion'),
            kind: textOf(generator, 'kind'),
            name: textOf(generator, 'name'),
          },
    data: (objectsOf(spec, 'data') ?? []).map(entryOf),
    dataTo: (objectsOf(spec, 'dataTo') ?? []).map((item) => ({
      store: isObject(own(item, 'storeRef')) ? storeRefOf(fieldsOf(item, 'storeRef')) : undefined,
      match: textOf(fieldsOf(item, 'match'), 'regexp'),
      remoteKey: textOf(item, 'remoteKey'),
      rewrite: rewritesOf(item),
      conversionStrategy: textOf(item, 'conversionStrategy') || 'None',
      metadata: own(item, 'metadata'),
    })),
    template: isObject(template) ? parseTemplate(template) : undefined,
    updatePolicy: textOf(spec, 'updatePolicy') || 'Replace',
    deletionPolicy: textOf(spec, 'deletionPolicy') || 'None',
    refreshIntervalMs: durationMs(textOf(spec, 'refreshInterval'), HOUR_MS),
  }
}

/** Makes the typed object of an informer. */
export function parsePushSecret(object: KubeObject): PushSecret {
  const status = fieldsOf(object, 'status')
  const synced = Object.entries(fieldsOf(status, 'syncedPushSecrets')).map(
    ([store, entries]) =>
      [
        store,
        new Map(
          Object.entries(isObject(entries) ? entries : {}).map(([ref, entry]) => [
            ref,
            entryOf(isObject(entry) ? entry : {}),
          ]),
        ),
      ] as const,
  )
  return {
    ...object,
    parsed: {
      spec: parseSpec(fieldsOf(object, 'spec')),
      status: {
        conditions: conditionsOf(status),
        refreshTime: textOf(status, 'refreshTime'),
        syncedResourceVersion: textOf(status, 'syncedResourceVersion'),
        synced: new Map(synced),
      },
    },
  }
}

/** Where an entry goes, as the status names it. */
export const entryRef = ({ remoteKey, property }: PushEntry): string =>
  property === '' ? remoteKey : `${remoteKey}/${property}`
