import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import type { OpenStore } from '../store/own-stores.ts'
import { EventLog } from './bus/event-log.ts'
import type { BusRecord } from './bus/record.ts'
import { eventSourceAdmission } from './eventsource/admission.ts'
import { eventSources } from './eventsource/controller.ts'
import { calendarSource } from './sources/calendar/calendar-source.ts'
import { sourceMetrics } from './sources/source-metrics.ts'

/** What the events engine is made with, before there is a cluster to talk to. */
export interface EventsParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  readonly stateFolder: string
  readonly workingFolder: string
  readonly openStore: OpenStore
  /** A way to the cluster in somebody's name, where that can be had. */
  readonly clientAs?: (user: UserInfo) => Client
}

/** What the events engine brings. */
export interface Events {
  readonly admission: readonly AdmissionPlugin[]
  readonly controllers: (ports: ControllerPorts) => ControllerPart
}

/** The events engine as a capability: sources, the bus between, and Sensors with their triggers. */
export function makeEvents(parts: EventsParts): Events {
  return {
    admission: [eventSourceAdmission],
    controllers: (ports) =>
      onceOpen(async () => {
        const store = await parts.openStore<BusRecord>('events')
        const events = new EventLog({ ...parts, store })
        return together([running(events), ...sourceParts(parts, ports, events)])
      }),
  }
}

/** What takes signals in. */
function sourceParts(parts: EventsParts, ports: ControllerPorts, events: EventLog): readonly ControllerPart[] {
  const metrics = sourceMetrics(parts.metrics)
  const makers = { calendar: calendarSource(ports) }
  return [eventSources(ports, { publish: events.publish, metrics, makers })]
}

/** A part that can only be made when something is open, such as a store. */
function onceOpen(make: () => Promise<ControllerPart>): ControllerPart {
  let made: ControllerPart | undefined
  return {
    async run(signal) {
      made = await make()
      await made.run(signal)
    },
    pending: () => made?.pending() ?? [],
  }
}

/** Something that runs and has no keys. */
const running = (one: Pick<ControllerPart, 'run'>): ControllerPart => ({
  run: (signal) => one.run(signal),
  pending: () => [],
})

/** Parts that run as one. */
function together(parts: readonly ControllerPart[]): ControllerPart {
  return {
    async run(signal) {
      await Promise.all(parts.map((part) => part.run(signal)))
    },
    pending: () => parts.flatMap((part) => part.pending()),
  }
}
