import { certificateMaker } from '../../lib/certificates.ts'
import type { KubeObject } from '../../kube/object.ts'
import { succeed } from '../../lib/result.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import type { Informer } from '../../runtime/informer.ts'
import { reachServices } from '../../runtime/reach-services.ts'
import { serviceHttp } from '../../runtime/service-http.ts'
import { failed, type Fetched } from './data/trouble.ts'
import { type Generate, generators } from './generators/generators.ts'
import {
  ClusterSecretStoreKind,
  ConfigMapKind,
  ExternalSecretKind,
  NamespaceKind,
  OWNER_LABEL,
  SecretKind,
  SecretStoreKind,
} from './kinds.ts'
import { Dependents, onObject, type Track } from './providers/dependency.ts'
import type { ClusterView, ProviderPorts, SecretsClient } from './providers/provider.ts'
import { type Providers, providers } from './providers/providers.ts'
import { type ExternalSecret, parseExternalSecret, type StoreRef, targetName } from './spec/external-secret.ts'
import { parseSecretStore, type SecretStore } from './spec/secret-store.ts'
import { usableStore } from './stores/choose-store.ts'
import { type TemplateEngine, templateEngine } from './template/template-engine.ts'

/** What the controllers of External Secrets share. */
export interface ExternalWorld {
  readonly ports: ControllerPorts
  readonly externalSecrets: Informer<ExternalSecret>
  readonly stores: Informer<SecretStore>
  readonly clusterStores: Informer<SecretStore>
  /** Indexed by `owner`, the label of those that made them. */
  readonly secrets: Informer
  readonly configMaps: Informer
  readonly namespaces: Informer
  readonly accounts: Informer
  readonly view: ClusterView
  readonly providers: Providers
  readonly templates: TemplateEngine
  readonly generate: Generate
  /** Which ExternalSecrets were made from what. */
  readonly dependents: Dependents
  /** Which stores were looked at by what. */
  readonly storeDependents: Dependents
  /** Those whose sources have changed since they were read. */
  readonly stale: Set<string>
  /** Has a store looked at again, because it failed somebody. */
  suspect(store: SecretStore): void
  onSuspect(listener: (store: SecretStore) => void): void
}

const accountsResource = { group: '', version: 'v1', plural: 'serviceaccounts' }

/** Makes what the controllers share. */
export function externalWorld(ports: ControllerPorts, http?: ProviderPorts['http']): ExternalWorld {
  const { informers, clock, ids, client } = ports
  const shared = (resource: Parameters<typeof informers.shared>[0]['collection']['resource']): Informer =>
    informers.shared({ collection: { resource } })
  const secrets = informers.own<KubeObject>({
    collection: { resource: SecretKind },
    indexes: { owner: ({ metadata }) => [metadata.labels?.[OWNER_LABEL] ?? ''] },
  })
  const configMaps = shared(ConfigMapKind)
  const namespaces = shared(NamespaceKind)
  const accounts = shared(accountsResource)
  const caches = { Secret: secrets, ConfigMap: configMaps, Namespace: namespaces, ServiceAccount: accounts }
  const view: ClusterView = {
    get: (kind, namespace, name) => caches[kind].cache.get(`${kind === 'Namespace' ? '' : namespace}/${name}`),
    secrets: (namespace) => secrets.cache.list(namespace),
  }
  const templates = templateEngine({ clock, ids, certificates: certificateMaker })
  const providing: ProviderPorts = {
    client,
    view,
    clock,
    ids,
    templates,
    http: http ?? serviceHttp({ reach: reachServices(informers), keeps: true }),
  }
  const suspecting: ((store: SecretStore) => void)[] = []
  return {
    ports,
    secrets,
    configMaps,
    namespaces,
    accounts,
    view,
    templates,
    externalSecrets: informers.own({
      collection: { resource: ExternalSecretKind },
      parse: parseExternalSecret,
      indexes: { target: (object) => [`${object.metadata.namespace ?? ''}/${targetName(object)}`] },
    }),
    stores: informers.own({ collection: { resource: SecretStoreKind }, parse: parseSecretStore }),
    clusterStores: informers.own({ collection: { resource: ClusterSecretStoreKind }, parse: parseSecretStore }),
    providers: providers(providing),
    generate: generators(providing),
    dependents: new Dependents(),
    storeDependents: new Dependents(),
    stale: new Set(),
    suspect: (store) => {
      for (const listener of suspecting) listener(store)
    },
    onSuspect: (listener) => void suspecting.push(listener),
  }
}

/** The store that a reference means from a namespace, as it was last seen. */
export function storeOf(world: ExternalWorld, { kind, name }: StoreRef, namespace: string): SecretStore | undefined {
  return kind === 'ClusterSecretStore'
    ? world.clusterStores.cache.get(`/${name}`)
    : world.stores.cache.get(`${namespace}/${name}`)
}

/** What depends on a store depends on this. */
export const onStore = ({ kind, name }: StoreRef, namespace: string): string =>
  onObject(kind, kind === 'ClusterSecretStore' ? '' : namespace, name)

/** Opens the stores that references of one namespace mean, each once. */
export function openStores(
  world: ExternalWorld,
  namespace: string,
  track: Track,
  signal: AbortSignal,
): (ref: StoreRef | undefined) => Promise<Fetched<SecretsClient>> {
  const open = new Map<string, Promise<Fetched<SecretsClient>>>()
  const opened = async (ref: StoreRef): Promise<Fetched<SecretsClient>> => {
    track(onStore(ref, namespace))
    const store = storeOf(world, ref, namespace)
    if (!store) return failed(`could not get ${ref.kind} ${JSON.stringify(ref.name)}: not found`)
    const labels = world.view.get('Namespace', '', namespace)?.metadata.labels ?? {}
    const usable = usableStore(store, namespace, labels)
    if (!usable.ok) return usable
    const client = await world.providers.open({ store, namespace, track, signal })
    return client.ok ? succeed(suspicious(client.value, () => world.suspect(store))) : client
  }
  return (ref) => {
    if (!ref) return Promise.resolve(failed('neither secretStoreRef nor sourceRef names a store'))
    const id = `${ref.kind}/${ref.name}`
    const known = open.get(id) ?? opened(ref)
    open.set(id, known)
    return known
  }
}

/** A client after whose failures the store is looked at again. */
function suspicious(client: SecretsClient, suspect: () => void): SecretsClient {
  const told = async <T>(answer: Promise<Fetched<T>>): Promise<Fetched<T>> => {
    const fetched = await answer
    if (!fetched.ok && fetched.error.why === 'failed') suspect()
    return fetched
  }
  return {
    get: (ref) => told(client.get(ref)),
    getMap: (ref) => told(client.getMap(ref)),
    find: (find) => told(client.find(find)),
    push: (item, secret) => told(client.push(item, secret)),
    remove: (item) => told(client.remove(item)),
    exists: (item) => told(client.exists(item)),
    validate: () => client.validate(),
  }
}

/** Whether a change of an object is one that its controller acts on: what it writes into the status is not. */
export function isOwnChange(object: KubeObject, previous: KubeObject | undefined): boolean {
  if (!previous) return true
  const { metadata: now } = object
  const { metadata: before } = previous
  return (
    now.uid !== before.uid ||
    now.generation !== before.generation ||
    now.deletionTimestamp !== before.deletionTimestamp ||
    JSON.stringify([now.labels, now.annotations, now.finalizers]) !==
      JSON.stringify([before.labels, before.annotations, before.finalizers])
  )
}
