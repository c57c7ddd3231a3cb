import type { Client } from '../../../kube/client.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Fields } from '../../../lib/fields.ts'
import type { Ids } from '../../../lib/ids.ts'
import type { ServiceHttp } from '../../../runtime/service-http.ts'
import type { SecretData } from '../data/decode.ts'
import type { Fetched } from '../data/trouble.ts'
import type { Find, RemoteRef } from '../spec/external-secret.ts'
import type { SecretStore } from '../spec/secret-store.ts'
import type { TemplateEngine } from '../template/template-engine.ts'
import type { Track } from './dependency.ts'

/** What is pushed, and where to. */
export interface PushItem {
  /** The key of the Secret; '' for all of it. */
  readonly secretKey: string
  readonly remoteKey: string
  /** '' for all of it. */
  readonly property: string
  readonly metadata: unknown
}

/** A Secret that is pushed. */
export interface PushedSecret {
  readonly data: SecretData
  readonly type: string
  readonly labels: SecretData
  readonly annotations: SecretData
}

/** A way to the secrets of one store, for one namespace. No answer holds a value where it tells of trouble. */
export interface SecretsClient {
  get(ref: RemoteRef): Promise<Fetched<string>>
  getMap(ref: RemoteRef): Promise<Fetched<SecretData>>
  find(find: Find): Promise<Fetched<SecretData>>
  push(item: PushItem, secret: PushedSecret): Promise<Fetched<undefined>>
  /** Removes what was pushed; what is not there any more is no trouble. */
  remove(item: PushItem): Promise<Fetched<undefined>>
  exists(item: PushItem): Promise<Fetched<boolean>>
  /** Whether the store can be used; `unknown` where that depends on who asks. */
  validate(): Promise<Fetched<'ready' | 'unknown'>>
}

/** What is in the cluster, as it was last seen. */
export interface ClusterView {
  get(
    kind: 'Secret' | 'ConfigMap' | 'Namespace' | 'ServiceAccount',
    namespace: string,
    name: string,
  ): KubeObject | undefined
  secrets(namespace: string): readonly KubeObject[]
}

export interface ProviderPorts {
  readonly client: Client
  readonly view: ClusterView
  readonly http: ServiceHttp
  readonly clock: Clock
  readonly ids: Ids
  readonly templates: TemplateEngine
}

/** For whom a store is opened. */
export interface Opening {
  readonly store: SecretStore
  readonly fields: Fields
  /** The namespace of what asks; that of the store itself where the store is looked at. */
  readonly namespace: string
  readonly track: Track
  readonly signal: AbortSignal
}

/** What is wrong with a store, and what is only worth a word. */
export interface StoreProblems {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** One kind of store. */
export interface Provider {
  readonly name: string
  readonly capabilities: 'ReadOnly' | 'ReadWrite' | 'WriteOnly'
  open(opening: Opening): Promise<Fetched<SecretsClient>>
}
