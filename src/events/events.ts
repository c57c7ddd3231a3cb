import { join } from 'node:path'
import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Receiver } from '../apiserver/http/receivers.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import type { Store } from '../store/store.ts'
import type { OpenStore } from '../store/own-stores.ts'
import { sprigFunctions } from '../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../lib/certificates.ts'
import { reviewedClient } from '../runtime/reviewed-client.ts'
import { reachServices } from '../runtime/reach-services.ts'
import { serviceHttp } from '../runtime/service-http.ts'
import { eventBuses } from './bus/event-bus-controller.ts'
import { EventLog } from './bus/event-log.ts'
import type { Publish } from './bus/publish.ts'
import type { BusRecord } from './bus/record.ts'
import { type DeskParts, eventsDesk } from './desk.ts'
import { eventSourceAdmission } from './eventsource/admission.ts'
import { eventSources } from './eventsource/controller.ts'
import { calendarSource } from './sources/calendar/calendar-source.ts'
import { guardedHttp } from './guarded-http.ts'
import { sensorAdmission } from './sensor/admission.ts'
import type { SensorWorld } from './sensor/compile-sensor.ts'
import { RightsChecker } from './sensor/rights.ts'
import { type Sensors, sensors } from './sensor/sensor-controller.ts'
import type { TraceSink } from './sensor/trace-sink.ts'
import { type Functions, sprigFor } from './sources/event-filter.ts'
import { fileSource } from './sources/file/file-source.ts'
import type { ResourceRecord } from './sources/resource/resource-memory.ts'
import { resourceSource } from './sources/resource/resource-source.ts'
import { sourceMetrics } from './sources/source-metrics.ts'
import { templateChecker, templateFiller } from './template.ts'
import type { Trace } from './trace/trace.ts'
import { TraceBook } from './trace/trace-book.ts'
import { tracedPublish } from './trace/traced-publish.ts'
import { triggerChecks } from './triggers/checks.ts'
import { accountUser, makeTriggers } from './triggers/executors.ts'

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
  /** What can be asked of running events: traces, dead letters, replays. */
  readonly receivers: readonly Receiver[]
}

/** What passes through once need not be kept decoded. */
const CACHE_BYTES = 2 * 2 ** 20

/** The events engine as a capability: sources, the bus between, and Sensors with their triggers. */
export function makeEvents(parts: EventsParts): Events {
  const world = sensorWorld(parts)
  let desk: DeskParts | undefined
  return {
    receivers: [eventsDesk(() => desk)],
    admission: [eventSourceAdmission, sensorAdmission(world)],
    controllers: (ports) =>
      onceOpen(async () => {
        // The newest events are at hand on the bus itself.
        const store = await parts.openStore<BusRecord>('events', undefined, { cacheBytes: CACHE_BYTES })
        const events = new EventLog({ ...parts, store })
        const told = await parts.openStore<ResourceRecord>('event-sources')
        const book = new TraceBook({
          ...parts,
          store: await parts.openStore<Trace>('event-traces', undefined, { cacheBytes: CACHE_BYTES }),
        })
        const publish = tracedPublish(events.publish, book.sink, parts.clock)
        const reacting = sensorPart(parts, ports, { bus: events, world, trace: book.sink })
        desk = { ...parts, book, sensors: reacting, publish, client: ports.client }
        return together([
          running(events),
          running(book),
          eventBuses(ports, events),
          reacting,
          sourcePart(parts, ports, { publish, told }),
        ])
      }),
  }
}

/** What takes signals in. Objects are looked at as the ServiceAccount of the EventSource. */
function sourcePart(
  parts: EventsParts,
  ports: ControllerPorts,
  { publish, told }: { readonly publish: Publish; readonly told: Store<ResourceRecord> },
): ControllerPart {
  const { clientAs, metrics, stateFolder } = parts
  const rights = new RightsChecker(ports.client, ports.clock, { isAllowedUnsaid: false })
  const makers = {
    calendar: calendarSource(ports),
    file: fileSource({ ...ports, folder: join(stateFolder, 'events', 'files') }),
    resource: resourceSource({
      ...ports,
      store: told,
      ...(clientAs ? { clientAs: (account) => clientAs(accountUser(account)) } : {}),
      missingRights: (account, wanted, signal) => rights.missing(account, wanted, signal),
    }),
  }
  const reach = reachServices(ports.informers)
  const httpFor = guardedHttp(ports.client, (refuse) => serviceHttp({ reach, refuse }))
  return eventSources(ports, { publish, metrics: sourceMetrics(metrics), makers, functions: sprigOf(parts), httpFor })
}

/** What the filters of sources know of sprig: all of it but what looks at the surroundings. */
function sprigOf({ clock, ids }: EventsParts): Functions {
  const {
    env: _env,
    expandenv: _expand,
    getHostByName: _host,
    ...table
  } = sprigFunctions({ clock, ids, certificates: certificateMaker })
  return sprigFor(Object.keys(table), templateFiller(table))
}

/** What Sensors are compiled with, at admission and where they run. */
function sensorWorld({ clock, ids }: EventsParts): SensorWorld {
  const functions = sprigFunctions({ clock, ids, certificates: certificateMaker })
  return { fill: templateFiller(functions), template: templateChecker(functions), checks: triggerChecks }
}

/** What reacts to signals. Where nobody can be acted as, every call is asked for before it is made. */
function sensorPart(
  { clientAs, metrics }: EventsParts,
  ports: ControllerPorts,
  of: { readonly bus: EventLog; readonly world: SensorWorld; readonly trace: TraceSink },
): Sensors {
  const acting = { clientAs: clientAs ?? ((user: UserInfo): Client => reviewedClient(ports.client, user)) }
  const reach = reachServices(ports.informers)
  const executors = makeTriggers({ ...ports, ...acting, http: (refuse) => serviceHttp({ reach, refuse }) })
  return sensors(ports, { ...of, ...acting, executors, metrics })
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
