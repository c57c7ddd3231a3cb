import type { AdmissionPlugin } from '../kube/admission.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import type { OpenStore } from '../store/own-stores.ts'
import { type ChangeFeed, changeFeed } from './change-feed.ts'
import { externalAdmission } from './external/admission/external-admission.ts'
import { externalSecrets } from './external/external-secrets.ts'
import { restarts } from './restart/controller.ts'
import { type PlatformStore, platformStore, STORE_PAGES } from './store-part.ts'

/** What secrets are made with, before there is a cluster to talk to. */
export interface SecretsParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  readonly stateFolder: string
  readonly openStore: OpenStore
}

/** What secrets bring: the store, and the controllers that carry what is in it into the cluster. */
export interface Secrets {
  readonly admission: readonly AdmissionPlugin[]
  readonly controllers: (ports: ControllerPorts) => ControllerPart
  readonly receivers: readonly { readonly path: string; readonly receive: PlatformStore['receive'] }[]
}

/** A part of the capability: what it brings hears of changes in the store. */
type MakePart = (ports: ControllerPorts, changes: ChangeFeed) => ControllerPart

/** Everything that runs beside the store: one entry a part. */
const running: readonly MakePart[] = [externalSecrets, restarts]

/** Secrets as a capability: a store that speaks Vault's API, and External Secrets. */
export function makeSecrets(parts: SecretsParts): Secrets {
  const { log } = parts
  const changes = changeFeed((error) => log.error('a listener to changes of the secret store failed', error))
  const store = platformStore({ ...parts, changes })
  return {
    admission: [externalAdmission()],
    receivers: [{ path: STORE_PAGES, receive: store.receive }],
    controllers(ports) {
      const own = store.part(ports)
      const made = running.map((make) => make(ports, changes))
      // Whoever asks the platform's own store before it is open would have to wait and ask again.
      const others = async (signal: AbortSignal): Promise<void> => {
        await store.opened
        await Promise.all(made.map((part) => part.run(signal)))
      }
      return {
        pending: () => [own, ...made].flatMap((part) => part.pending()),
        async run(signal) {
          await Promise.all([own.run(signal), others(signal)])
        },
      }
    },
  }
}
