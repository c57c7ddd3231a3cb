import type { KubeObject } from '../kube/object.ts'
import { fieldsOf, textOf } from '../lib/fields.ts'
import { placeOf, type VaultPlace } from './external/providers/vault/paths.ts'
import { parseSpec, type StoreRef } from './external/spec/external-secret.ts'
import { parseStoreSpec } from './external/spec/secret-store.ts'

/** A secret of the store that something in Git asks for. There are names in it only. */
export interface WantedKey {
  /** Such as `ExternalSecret shop/web`. */
  readonly by: string
  /** As it was written. */
  readonly key: string
  /** The value of it that is wanted; empty is all of them. */
  readonly property: string
  /** Where that is in the store; absent where it is not told, with the reason. */
  readonly place?: { readonly mount: string; readonly path: string; readonly version: 'v1' | 'v2' }
  readonly because?: string
}

/** The kinds that `wantedKeys` looks at; everything else is passed over. */
export const askingKinds: ReadonlySet<string> = new Set([
  'ExternalSecret',
  'ClusterExternalSecret',
  'SecretStore',
  'ClusterSecretStore',
])

/** What the ExternalSecrets among some objects ask for, by the SecretStores among them. */
export function wantedKeys(objects: readonly KubeObject[]): readonly WantedKey[] {
  const stores = new Map(objects.flatMap((object) => (isStore(object) ? [[nameOf(object), object] as const] : [])))
  return objects.flatMap((object) => {
    const spec = specOf(object)
    if (!spec) return []
    const namespace = object.metadata.namespace ?? 'default'
    const { store, data, dataFrom } = parseSpec(spec)
    const refs = [
      ...data.map((item) => ({ ref: item.remoteRef, store: item.store ?? store })),
      ...dataFrom.flatMap((item) => (item.extract ? [{ ref: item.extract, store: item.store ?? store }] : [])),
    ]
    const by = nameOf(object)
    return refs.map(({ ref, store: named }): WantedKey => {
      const wanted = { by, key: ref.key, property: ref.property }
      const place = placeIn(named, namespace, stores)
      if (typeof place === 'string') return { ...wanted, because: place }
      return { ...wanted, place: { ...placeOf(place, ref.key), version: place.version } }
    })
  })
}

const isStore = ({ kind }: KubeObject): boolean => kind === 'SecretStore' || kind === 'ClusterSecretStore'

function nameOf({ kind, metadata }: KubeObject): string {
  const name = metadata.name ?? ''
  return kind.startsWith('Cluster') ? `${kind} ${name}` : `${kind} ${metadata.namespace ?? 'default'}/${name}`
}

function specOf(object: KubeObject): Readonly<Record<string, unknown>> | undefined {
  if (object.kind === 'ExternalSecret') return fieldsOf(object, 'spec')
  return object.kind === 'ClusterExternalSecret' ? fieldsOf(fieldsOf(object, 'spec'), 'externalSecretSpec') : undefined
}

/** How the store that is named addresses secrets, or why nobody can say. */
function placeIn(
  ref: StoreRef | undefined,
  namespace: string,
  stores: ReadonlyMap<string, KubeObject>,
): VaultPlace | string {
  if (!ref || ref.name === '') return 'it names no store'
  const kind = ref.kind === 'ClusterSecretStore' ? ref.kind : 'SecretStore'
  const name = kind === 'SecretStore' ? `${kind} ${namespace}/${ref.name}` : `${kind} ${ref.name}`
  const store = stores.get(name)
  if (!store) return `${name} is not there`
  const { provider, providers } = parseStoreSpec(fieldsOf(store, 'spec'))
  if (!provider) return `${name} has ${providers.length === 0 ? 'no provider' : 'several providers'}`
  if (provider.name !== 'vault') return `${name} is not of this store: its provider is ${provider.name}`
  return {
    mount: textOf(provider.fields, 'path').replace(/^\/+|\/+$/g, ''),
    version: textOf(provider.fields, 'version') === 'v1' ? 'v1' : 'v2',
  }
}
