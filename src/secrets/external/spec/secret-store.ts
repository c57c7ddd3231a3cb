import type { Condition } from '../../../kube/condition.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { type Fields, fieldsOf, numberOf, objectsOf, textOf, textsOf } from '../../../lib/fields.ts'
import { own } from '../../../lib/json.ts'
import { conditionsOf, durationMs } from './external-secret.ts'

/** Which namespaces may use a ClusterSecretStore: those that any part of any condition names. */
export interface StoreCondition {
  readonly selector: unknown
  readonly namespaces: readonly string[]
  readonly patterns: readonly string[]
}

/** Where secrets are, and how to get at them. */
export interface SecretStoreSpec {
  readonly controller: string
  /** The one provider; what says none, or several, has none. */
  readonly provider: { readonly name: string; readonly fields: Fields } | undefined
  readonly providers: readonly string[]
  readonly conditions: readonly StoreCondition[]
  /** How often it is looked at again; undefined where that is left to us. */
  readonly refreshMs: number | undefined
  readonly retry: { readonly times: number; readonly waitMs: number }
}

/** A SecretStore or a ClusterSecretStore as it is worked on. */
export interface SecretStore extends KubeObject {
  readonly parsed: {
    readonly spec: SecretStoreSpec
    readonly status: { readonly conditions: readonly Condition[]; readonly capabilities: string }
  }
}

const DEFAULT_WAIT_MS = 1_000
/** More tries hold up everybody else; the turn is tried again anyway. */
const MOST_RETRIES = 10
const LONGEST_WAIT_MS = 30_000

/** The spec of a store. */
export function parseStoreSpec(spec: Fields): SecretStoreSpec {
  const provider = fieldsOf(spec, 'provider')
  const providers = Object.keys(provider)
  const [name] = providers
  const retry = fieldsOf(spec, 'retrySettings')
  return {
    controller: textOf(spec, 'controller'),
    provider: name !== undefined && providers.length === 1 ? { name, fields: fieldsOf(provider, name) } : undefined,
    providers,
    conditions: (objectsOf(spec, 'conditions') ?? []).map((condition) => ({
      selector: own(condition, 'namespaceSelector'),
      namespaces: textsOf(condition, 'namespaces') ?? [],
      patterns: textsOf(condition, 'namespaceRegexes') ?? [],
    })),
    refreshMs: refreshMsOf(own(spec, 'refreshInterval')),
    retry: {
      times: Math.min(numberOf(retry, 'maxRetries') ?? 0, MOST_RETRIES),
      waitMs: Math.min(durationMs(textOf(retry, 'retryInterval'), DEFAULT_WAIT_MS), LONGEST_WAIT_MS),
    },
  }
}

/** Seconds as a number, or a duration as a text. */
function refreshMsOf(value: unknown): number | undefined {
  const ms = typeof value === 'number' ? value * 1_000 : typeof value === 'string' ? durationMs(value, 0) : 0
  return ms > 0 ? ms : undefined
}

/** Makes the typed object of an informer. */
export function parseSecretStore(object: KubeObject): SecretStore {
  const status = fieldsOf(object, 'status')
  return {
    ...object,
    parsed: {
      spec: parseStoreSpec(fieldsOf(object, 'spec')),
      status: { conditions: conditionsOf(status), capabilities: textOf(status, 'capabilities') },
    },
  }
}

/** Tells whether a store is one for the whole cluster. */
export const isClusterStore = ({ kind }: KubeObject): boolean => kind.startsWith('Cluster')
