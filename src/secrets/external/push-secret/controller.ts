import type { Controller } from '../../../runtime/controller.ts'
import { type ExternalWorld, isOwnChange } from '../external-world.ts'
import { PushSecretKind } from '../kinds.ts'
import { kindMetrics } from '../metrics.ts'
import { Dependents, onObject, onSecretsOf } from '../providers/dependency.ts'
import { parsePushSecret } from './push-secret.ts'
import { turnPushSecret } from './push-turn.ts'

/** Pushes Secrets to stores: when they are due, and when a Secret that is pushed has changed. */
export function pushSecretController(world: ExternalWorld): Controller {
  const { ports, secrets } = world
  const pushSecrets = ports.informers.own({ collection: { resource: PushSecretKind }, parse: parsePushSecret })
  const dependents = new Dependents()
  const stale = new Set<string>()
  const turn = {
    world,
    pushSecrets,
    dependents,
    stale,
    events: ports.events('pushsecret'),
    metrics: kindMetrics('pushsecret', ports.metrics),
  }
  const wake = (dependency: string): readonly string[] => {
    const keys = [...dependents.of(dependency)]
    for (const key of keys) stale.add(key)
    return keys
  }
  return {
    name: 'pushsecret',
    concurrency: 4,
    retryDelay: { firstMs: 500, longestMs: 60_000 },
    watches: [
      { informer: pushSecrets, keys: (object, { key, previous }) => (isOwnChange(object, previous) ? [key] : []) },
      {
        informer: secrets,
        keys: ({ metadata: { namespace = '', name = '' } }) => [
          ...wake(onObject('Secret', namespace, name)),
          ...wake(onSecretsOf(namespace)),
        ],
      },
      {
        informer: world.stores,
        keys: ({ metadata: { namespace = '', name = '' } }) => wake(onObject('SecretStore', namespace, name)),
      },
      {
        informer: world.clusterStores,
        keys: ({ metadata: { name = '' } }) => wake(onObject('ClusterSecretStore', '', name)),
      },
    ],
    reconcile: (key, context) => turnPushSecret(key, turn, context),
  }
}
