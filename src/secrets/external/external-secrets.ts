import { setMaxListeners } from 'node:events'
import type { ControllerPart, ControllerPorts } from '../../runtime/controller-part.ts'
import { type Controller, controllerLoop } from '../../runtime/controller.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import type { ChangeFeed } from '../change-feed.ts'
import { externalSecretController } from './external-secret/controller.ts'
import { type ExternalWorld, externalWorld } from './external-world.ts'
import { fanOutController } from './fan-out/controller.ts'
import type { FanOut } from './fan-out/plan.ts'
import {
  ClusterExternalSecretKind,
  ClusterPushSecretKind,
  ClusterSecretStoreKind,
  ExternalSecretKind,
  PushSecretKind,
  SecretStoreKind,
} from './kinds.ts'
import { ofVaultChange, onVault } from './providers/dependency.ts'
import { pushSecretController } from './push-secret/controller.ts'
import { storeController } from './stores/store-controller.ts'

const EXTERNAL_SECRETS: FanOut = {
  kind: ClusterExternalSecretKind,
  child: ExternalSecretKind,
  fields: { spec: 'externalSecretSpec', name: 'externalSecretName', metadata: 'externalSecretMetadata' },
}
const PUSH_SECRETS: FanOut = {
  kind: ClusterPushSecretKind,
  child: PushSecretKind,
  fields: { spec: 'pushSecretSpec', name: 'pushSecretName', metadata: 'pushSecretMetadata' },
}

/** The controllers of External Secrets; they hear at once of what changes in the store of this process. */
export function externalSecrets(ports: ControllerPorts, changes: ChangeFeed, http?: ServiceHttp): ControllerPart {
  const world = externalWorld(ports, http)
  const made: readonly Controller[] = [
    storeController(world, SecretStoreKind, world.stores),
    storeController(world, ClusterSecretStoreKind, world.clusterStores),
    externalSecretController(world),
    pushSecretController(world),
    fanOutController(EXTERNAL_SECRETS, { ports, namespaces: world.namespaces, children: world.externalSecrets }),
    fanOutController(PUSH_SECRETS, {
      ports,
      namespaces: world.namespaces,
      children: ports.informers.shared({ collection: { resource: PushSecretKind } }),
    }),
  ]
  const loops = made.map((controller) => controllerLoop(controller, ports))
  const queueOf = (name: string) => loops.find((loop) => loop.name === name)?.queue
  const secrets = queueOf('externalsecret')
  world.onSuspect((store) => queueOf(store.kind.toLowerCase())?.add(keyOf(store)))
  const wakeStores = (): void => {
    for (const id of world.storeDependents.of(onVault)) {
      const [kind = '', key = ''] = id.split(' ')
      queueOf(kind.toLowerCase())?.add(key)
    }
  }
  const wake = (world: ExternalWorld, dependency: string): void => {
    for (const key of world.dependents.of(dependency)) {
      world.stale.add(key)
      secrets?.add(key)
    }
  }
  return {
    pending: () => loops.flatMap(({ queue }) => queue.pending()),
    async run(signal) {
      // Every loop and every provider listens to it.
      setMaxListeners(0, signal)
      const leave = changes.subscribe((change) => {
        if (change.what === 'changed') for (const one of ofVaultChange(change.mount, change.path)) wake(world, one)
        else {
          wakeStores()
          wake(world, onVault)
        }
      })
      try {
        await Promise.all(loops.map((loop) => loop.run(signal)))
      } finally {
        leave()
      }
    },
  }
}
