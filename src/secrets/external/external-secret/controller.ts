import type { KubeObject } from '../../../kube/object.ts'
import { isTrue } from '../../../kube/condition.ts'
import type { Controller, Watch } from '../../../runtime/controller.ts'
import type { Informer } from '../../../runtime/informer.ts'
import { keyOf } from '../../../runtime/object-cache.ts'
import { type ExternalWorld, isOwnChange } from '../external-world.ts'
import { kindMetrics } from '../metrics.ts'
import { onObject, onSecretsOf } from '../providers/dependency.ts'
import type { SecretStore } from '../spec/secret-store.ts'
import { turnExternalSecret } from './external-secret-turn.ts'

/** A turn waits for durable writes and for answers, not for the processor. */
const CONCURRENCY = 32

/** Keeps the Secrets of ExternalSecrets: looks when they are due, and when something that they are made from has changed. */
export function externalSecretController(world: ExternalWorld): Controller {
  const { ports, externalSecrets, secrets, configMaps, accounts, namespaces } = world
  const turn = {
    world,
    events: ports.events('external-secrets'),
    metrics: kindMetrics('externalsecret', ports.metrics),
    seen: new Set<string>(),
    looks: new Map<string, { readonly sinceMs: number; readonly count: number }>(),
  }
  const wake = (dependency: string, but: ReadonlySet<string> = new Set()): readonly string[] => {
    const keys = [...world.dependents.of(dependency)].filter((key) => !but.has(key))
    for (const key of keys) world.stale.add(key)
    return keys
  }
  const objects = (kind: string, informer: Informer): Watch => ({
    informer,
    keys: ({ metadata: { namespace = '', name = '' } }) => wake(onObject(kind, namespace, name)),
  })
  return {
    name: 'externalsecret',
    concurrency: CONCURRENCY,
    retryDelay: { firstMs: 500, longestMs: 60_000 },
    watches: [
      {
        informer: externalSecrets,
        keys: (object, change) => (isOwnChange(object, change.previous) ? [change.key] : []),
      },
      {
        informer: secrets,
        keys: ({ metadata: { namespace = '', name = '' } }, { key }) => {
          const makers = externalSecrets.cache.by('target', key).map(keyOf)
          // What an ExternalSecret makes itself is no news to it, even where it finds it.
          const others = wake(onSecretsOf(namespace), new Set(makers))
          return [...makers, ...wake(onObject('Secret', namespace, name)), ...others]
        },
      },
      objects('ConfigMap', configMaps),
      // Only needed so that they are complete before the first turn.
      { informer: accounts, keys: () => [] },
      { informer: namespaces, keys: () => [] },
      stores('SecretStore', world.stores, wake),
      stores('ClusterSecretStore', world.clusterStores, wake),
    ],
    reconcile: (key, context) => turnExternalSecret(key, turn, context),
  }
}

/** A store concerns those that use it when it became another, or when it can be used again or no longer. */
function stores(kind: string, informer: Informer<SecretStore>, wake: (dependency: string) => readonly string[]): Watch {
  return {
    informer,
    keys: (object, { type, previous }) => {
      const isNews =
        type !== 'changed' || !previous || isOwnChange(object, previous) || isReady(object) !== isReady(previous)
      const { namespace = '', name = '' } = object.metadata
      return isNews ? wake(onObject(kind, namespace, name)) : []
    },
  }
}

const isReady = (object: KubeObject): boolean => isTrue((object as SecretStore).parsed.status.conditions, 'Ready') // what the informer of stores holds
