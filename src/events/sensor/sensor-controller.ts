import type { UserInfo } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'
import { objectsOf } from '../../lib/fields.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { type Controller, controllerLoop, retryAfter } from '../../runtime/controller.ts'
import type { ControllerPart, ControllerPorts } from '../../runtime/controller-part.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { EventBusKind, isReady } from '../bus/event-bus.ts'
import type { EventLog } from '../bus/event-log.ts'
import { type DeadLetter, gone, keys, type LoggedEvent } from '../bus/record.ts'
import type { Firing } from './advance.ts'
import {
  type CompiledSensor,
  compileSensor,
  HEARTBEAT,
  type SensorReading,
  type SensorWorld,
} from './compile-sensor.ts'
import { forgetCursors } from './cursor-file.ts'
import { DeadLetters } from './dead-letters.ts'
import type { DeliveryPorts } from './deliver.ts'
import { rightsWithPolicy } from './policy.ts'
import { unresolvedTrigger } from './resolve-trigger.ts'
import { RightsChecker } from './rights.ts'
import { type Replayed, RunningSensor } from './running-sensor.ts'
import { annotationOf, busNameOf, SensorKind } from './sensor.ts'
import { triggerMetrics } from './sensor-metrics.ts'
import { nextSensorConditions, sensorConditions, type SeenSensor } from './sensor-status.ts'
import type { TraceSink } from './trace-sink.ts'
import type { TriggerExecutors } from './trigger.ts'

/** What the controller is given besides a cluster. */
export interface SensorParts {
  readonly bus: EventLog
  readonly world: SensorWorld
  readonly executors: Pick<TriggerExecutors, 'fire' | 'rightsOf'>
  readonly trace: TraceSink
  readonly metrics: Metrics
  readonly clientAs: (user: UserInfo) => Client
}

/** The Sensors at work, and what can be asked of them. */
export interface Sensors extends ControllerPart {
  readonly deadLetters: DeadLetters
  /** Takes an event that is still on a bus to the Sensors of its namespace once more; names narrow that down. */
  replay(
    namespace: string,
    eventId: string,
    only?: { readonly sensor?: string; readonly trigger?: string },
  ): Promise<Result<readonly Replayed[]>>
  /** Fires once more what was given up; a dead letter that goes through is gone. */
  replayDead(letter: DeadLetter): Promise<Result<Replayed>>
}

const RBAC = 'rbac.authorization.k8s.io'
const rbacKinds = ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings']
/** Rights are looked at again so often, for what no watch tells. */
const LOOK_AGAIN_MS = 60_000
/** News of triggers is gathered for so long before it is written. */
const TOLD_EVERY_MS = 250

interface Known {
  /** Of what the reading was made. */
  readonly version: string
  readonly reading: SensorReading
}

/** Runs every Sensor as it says, and says in its status how it stands. */
export function sensors(ports: ControllerPorts, parts: SensorParts): Sensors {
  const { client, informers, clock, ids } = ports
  const { bus, world } = parts
  const log = ports.log.child({ controller: 'sensor' })
  const events = ports.events('sensor-controller')
  const objects = informers.own({
    collection: { resource: SensorKind },
    indexes: { bus: (object) => [`${object.metadata.namespace ?? ''}/${busNameOf(object)}`] },
  })
  const buses = informers.shared({ collection: { resource: EventBusKind } })
  const roles = rbacKinds.map((plural) =>
    informers.shared({ collection: { resource: { group: RBAC, version: 'v1', plural } } }),
  )
  const rights = new RightsChecker(client, clock)
  const running = new Map<string, RunningSensor>()
  const deadLetters = new DeadLetters(bus.store, (letter) =>
    running.get(`${letter.namespace}/${letter.sensor}`)?.excuse(letter),
  )
  const metrics = triggerMetrics(parts.metrics)
  const delivery: DeliveryPorts = {
    client,
    clientAs: parts.clientAs,
    clock,
    chance: () => (ids.bytes(1)[0] ?? 0) / 256,
    log,
    fill: world.fill,
    executors: parts.executors,
    rights,
    trace: parts.trace,
    deadLetters,
  }
  const known = new Map<string, Known>()

  /** Sensors that have not had their first turn: until then nobody can say who reads which bus. */
  const awaited = new Set<string>()
  let begin = (): void => {}
  bus.hold(new Promise<void>((resolve) => (begin = resolve)))

  const readingOf = (key: string, object: KubeObject): SensorReading => {
    const version = `${object.metadata.uid}/${object.metadata.generation}/${annotationOf(object, HEARTBEAT)}`
    const before = known.get(key)
    if (before?.version === version) return before.reading
    const reading = compileSensor(object, world)
    known.set(key, { version, reading })
    for (const warning of reading.warnings)
      events.note(object, { type: 'Warning', reason: 'Ignored', message: warning })
    return reading
  }

  const stop = async (key: string): Promise<void> => {
    const one = running.get(key)
    running.delete(key)
    await one?.stop()
    one?.leave()
  }

  /** One at a time runs a Sensor, so that nothing fires twice at once. */
  const run = async (key: string, object: KubeObject, sensor: CompiledSensor): Promise<RunningSensor> => {
    const before = running.get(key)
    if (before?.sensor === sensor) return before
    await before?.stop()
    const { namespace, name, uid, triggers } = sensor
    const names = new Set(triggers.map((trigger) => trigger.name))
    await forgetCursors(bus.store, { namespace, sensor: name }, (cursorKey, cursor) => {
      const trigger = decodeURIComponent(cursorKey.slice(cursorKey.lastIndexOf('/') + 1))
      return cursor.uid === uid && names.has(trigger)
    })
    const made = new RunningSensor({
      sensor,
      createdMs: parseTime(object.metadata.creationTimestamp ?? '') ?? clock.now(),
      bus,
      ports: delivery,
      metrics,
      // A trigger that fails often has more to say than anybody reads.
      onChange: () => loop.queue.addAfter(key, TOLD_EVERY_MS, 'there is news of its triggers'),
    })
    running.set(key, made)
    made.start()
    const isSameBus = before?.sensor.busName === sensor.busName && made.stoppedBecause === undefined
    before?.leave((trigger) => isSameBus && names.has(trigger))
    return made
  }

  const forget = async (key: string): Promise<void> => {
    await stop(key)
    known.delete(key)
    const { namespace = '', name: sensor } = partsOf(key)
    await forgetCursors(bus.store, { namespace, sensor }, () => false)
    await bus.store.delete(keys.stopped(namespace, sensor), () => gone, 'any')
  }

  const missingRights = async (sensor: CompiledSensor, signal: AbortSignal): Promise<readonly Problem[]> => {
    const account = { namespace: sensor.namespace, name: sensor.serviceAccount }
    const missing: Problem[] = []
    for (const { name, dlq, ...action } of sensor.triggers) {
      for (const one of [{ ...action, name }, ...(dlq ? [dlq] : [])]) {
        const wanted = rightsWithPolicy(one, await parts.executors.rightsOf(unresolvedTrigger(sensor, one)))
        for (const problem of await rights.missing(account, wanted, signal))
          missing.push({ ...problem, message: `trigger ${JSON.stringify(one.name)}: ${problem.message}` })
      }
    }
    return missing
  }

  const tell = async (object: KubeObject, seen: SeenSensor): Promise<Turn> => {
    const before = (objectsOf(object['status'], 'conditions') ?? []) as unknown as readonly Condition[] // written here
    const conditions = nextSensorConditions(before, sensorConditions(seen), clock.now())
    const next = seen.running ? again(LOOK_AGAIN_MS, 'rights may have changed') : done
    if (conditions === before) return next
    noteNews(object, before, conditions)
    const { namespace = '', name = '' } = object.metadata
    const target = { resource: SensorKind, namespace, name, subresource: 'status' }
    const written = await client.patch(target, { type: 'merge', body: { status: { conditions: conditions as never } } })
    return written.ok || written.error.reason === 'NotFound' ? next : retryAfter(written.error)
  }

  const noteNews = (object: KubeObject, before: readonly Condition[], after: readonly Condition[]): void => {
    for (const { type, status, reason = '', message = '' } of after) {
      const was = before.find((condition) => condition.type === type)
      if (type === 'Ready' || status !== 'False' || (was?.status === 'False' && was.reason === reason)) continue
      events.note(object, { type: 'Warning', reason, message })
    }
  }

  const controller: Controller = {
    name: 'sensor',
    concurrency: 4,
    watches: [
      { informer: objects },
      { informer: buses, keys: (one) => objects.cache.by('bus', keyOf(one)).map(keyOf) },
      ...roles.map((informer) => ({
        informer,
        keys: () => {
          rights.forget()
          return objects.cache.list().map(keyOf)
        },
      })),
    ],
    async reconcile(key, context) {
      try {
        return await turn(key, context.signal)
      } finally {
        joined(key)
      }
    },
  }
  const joined = (key: string): void => {
    if (awaited.delete(key) && awaited.size === 0) begin()
  }
  const turn = async (key: string, signal: AbortSignal): Promise<Turn> => {
    const object = objects.cache.get(key)
    if (!object || object.metadata.deletionTimestamp !== undefined) {
      await forget(key)
      return done
    }
    const reading = readingOf(key, object)
    const busObject = buses.cache.get(`${object.metadata.namespace ?? ''}/${busNameOf(object)}`)
    const busState = isReady(busObject) ? 'ready' : busObject ? 'not-ready' : 'missing'
    const { compiled } = reading
    if (!compiled || busState !== 'ready') await stop(key)
    const one = compiled && busState === 'ready' ? await run(key, object, compiled) : undefined
    // What follows may take its time.
    joined(key)
    const { namespace = '', name = '', generation = 0 } = object.metadata
    return tell(object, {
      reading,
      busName: busNameOf(object),
      bus: busState,
      generation,
      missingRights: compiled ? await missingRights(compiled, signal) : [],
      deadLetters: deadLetters.count(namespace, name),
      ...(one ? { running: one } : {}),
    })
  }
  const loop = controllerLoop(controller, ports)

  /** Cursors of Sensors that were removed while nobody looked. */
  const sweep = async (signal: AbortSignal): Promise<void> => {
    await objects.synced(signal)
    const found = bus.store.range('cursor/')
    if (!found.ok) throw new Error(`the cursors cannot be read: ${found.because}`)
    const seen = new Set(found.entries.map(({ key }) => key.split('/').slice(1, 3).map(decodeURIComponent).join('/')))
    for (const key of seen) if (!objects.cache.get(key)) await forget(key)
    for (const object of objects.cache.list()) awaited.add(keyOf(object))
    if (awaited.size === 0) begin()
  }

  return {
    deadLetters,
    pending: () => loop.queue.pending(),
    async run(signal) {
      await sweep(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      await loop.run(signal)
      begin()
      await Promise.all([...running.keys()].map(stop))
    },
    async replay(namespace, eventId, { sensor, trigger } = {}) {
      const found = bus.find(namespace, eventId)
      if (found.length === 0) return unknownEvent(namespace, eventId)
      const chosen = [...running.values()].filter(
        (one) => one.sensor.namespace === namespace && (sensor === undefined || one.sensor.name === sensor),
      )
      const replays = found.flatMap((logged: LoggedEvent) => chosen.map((one) => one.replay(logged, trigger)))
      return succeed((await Promise.all(replays)).flat().filter(({ ends }) => ends.length > 0))
    },
    async replayDead(letter) {
      const key = `${letter.namespace}/${letter.sensor}`
      const one = running.get(key)
      await one?.forgive()
      const firing: Firing = { fireId: letter.id, events: new Map(letter.events) }
      const [replayed] = (await one?.replay(firing, letter.trigger)) ?? []
      if (!replayed) return notRunning(letter)
      if (replayed.ends.every(({ end }) => end === 'fired')) await deadLetters.drop(letter)
      return succeed(replayed)
    },
  }
}

const unknownEvent = (namespace: string, eventId: string): Result<never> =>
  fail({
    code: 'event-unknown',
    at: eventId,
    message: `no bus in namespace ${namespace} holds an event ${JSON.stringify(eventId)}`,
    cure: 'look at `idp events list`; what is older than the EventBus keeps is gone',
  })

const notRunning = ({ namespace, sensor, trigger }: DeadLetter): Result<never> =>
  fail({
    code: 'sensor-not-running',
    at: `${namespace}/${sensor}`,
    message: `Sensor ${namespace}/${sensor} does not run a trigger ${JSON.stringify(trigger)}`,
    cure: 'look at the status of the Sensor, and replay when it is Ready',
  })
