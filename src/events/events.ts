import type { AdmissionPlugin } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import type { UserInfo } from '../kube/admission.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import { eventSourceAdmission } from './eventsource/admission.ts'

/** What the events engine is made with, before there is a cluster to talk to. */
export interface EventsParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  readonly stateFolder: string
  readonly workingFolder: string
  /** A way to the cluster in somebody's name, where that can be had. */
  readonly clientAs?: (user: UserInfo) => Client
}

/** What the events engine brings. */
export interface Events {
  readonly admission: readonly AdmissionPlugin[]
  readonly controllers: (ports: ControllerPorts) => ControllerPart
}

/** The events engine as a capability: sources, the bus between, and Sensors with their triggers. */
export function makeEvents(_parts: EventsParts): Events {
  return {
    admission: [eventSourceAdmission],
    controllers: (_ports) => together([]),
  }
}

/** Parts that run as one. */
function together(parts: readonly ControllerPart[]): ControllerPart {
  return {
    async run(signal) {
      await Promise.all(parts.map((part) => part.run(signal)))
    },
    pending: () => parts.flatMap((part) => part.pending()),
  }
}
