import { setMaxListeners } from 'node:events'
import { testServer, valueOf } from '../../apiserver/apiserver.testkit.ts'
import type { Client } from '../../kube/client.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds } from '../../kube/schema/packed-crds.ts'
import type { MovableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import { type Log, type LogRecord, logTo } from '../../lib/log.ts'
import { metricsRegistry, type MetricsRegistry } from '../../lib/metrics.ts'
import { fail, type Problem, succeed } from '../../lib/result.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { eventRecorder } from '../../runtime/event-recorder.ts'
import { Informers } from '../../runtime/informers.ts'
import { loopbackSurfaces } from '../../runtime/surfaces.ts'
import type { EventAddress, Publish } from '../bus/publish.ts'
import type { SensorEvent } from '../event.ts'
import { sourceMetrics } from '../sources/source-metrics.ts'
import { eventSources, type EventSourceParts } from './controller.ts'
import { EventSourceKind } from './event-source.ts'

/** An event that reached the bus of a test. */
export interface Kept {
  readonly to: EventAddress
  readonly event: SensorEvent
}

/** A cluster in memory with EventSources at work, real HTTP before it and a bus that remembers. */
export interface EventSourceWorld {
  readonly client: Client
  readonly clock: MovableClock
  readonly kept: readonly Kept[]
  readonly metrics: MetricsRegistry
  readonly complaints: readonly LogRecord[]
  /** The bus loses its events. */
  forget(): void
  /** The next events are refused so; undefined takes them again. */
  refuseWith(problem: Problem | undefined): void
  put(resource: ResourceId, object: object): Promise<KubeObject>
  /** Makes an EventSource, or gives it another spec. */
  source(name: string, spec: object): Promise<void>
  bus(name?: string): Promise<void>
  secret(name: string, data: Readonly<Record<string, string>>): Promise<void>
  remove(resource: ResourceId, name: string): Promise<void>
  /** A condition as `STATUS reason: message`. */
  condition(name: string, type: string): Promise<string | undefined>
  /** Where the Service of an EventSource is reached on this machine. */
  url(name: string, port?: number): Promise<string>
  settle(ms?: number): Promise<void>
  /** Ends the controller and begins it again after a while, over the same cluster and the same bus. */
  restart(downMs?: number, meanwhile?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

export const NAMESPACE = 'demo'
export const buses: ResourceId = { group: 'argoproj.io', version: 'v1alpha1', plural: 'eventbus' }
export const secrets: ResourceId = { group: '', version: 'v1', plural: 'secrets' }
const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
const namespaces = { group: '', version: 'v1', plural: 'namespaces' }

/** What a test adds to the controller, once there is a cluster. */
export type MoreParts = (ports: ControllerPorts) => Partial<EventSourceParts>

/** Builds the cluster and starts the controller. */
export async function eventSourceWorld(more: MoreParts = () => ({})): Promise<EventSourceWorld> {
  const { client, clock } = await testServer()
  for (const definition of packedCrds(readData, 'argo-events')) {
    valueOf(await client.create({ resource: definitions }, definition))
  }
  valueOf(
    await client.create(
      { resource: namespaces },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ),
  )
  await clock.advance(1_000)
  const complaints: LogRecord[] = []
  const log: Log = logTo(
    (record) => {
      if (record.level === 'warn' || record.level === 'error') complaints.push(record)
    },
    () => clock.now(),
  )
  const ids = seededIds()
  const metrics = metricsRegistry()
  const kept: Kept[] = []
  let refused: Problem | undefined
  const publish: Publish = (to, event) => {
    if (refused) return Promise.resolve(fail(refused))
    const isRepeat = kept.some((one) => one.event.context.id === event.context.id)
    if (!isRepeat) kept.push({ to, event })
    return Promise.resolve(succeed({ isRepeat }))
  }
  const begin = () => {
    const informers = new Informers({ client, clock, log, watchSeconds: 0 })
    const events = eventRecorder({ client, clock, ids, log, component: 'eventsource-controller' })
    const surfaces = loopbackSurfaces({ client, log })
    const ports: ControllerPorts = { client, clock, ids, log, informers, surfaces, events: () => events }
    const part = eventSources(ports, { publish, metrics: sourceMetrics(metrics), makers: {}, ...more(ports) })
    const stopping = new AbortController()
    setMaxListeners(0, stopping.signal)
    const running = Promise.all([informers, events, part].map((one) => one.run(stopping.signal)))
    return async (): Promise<void> => {
      stopping.abort(new Error('the test is over'))
      await clock.advance(0)
      await running
      await surfaces.close()
    }
  }
  let end = begin()
  const settle = async (ms = 100): Promise<void> => {
    // A port is opened by the machine, whose time is not ours to move.
    for (let turn = 0; turn < 5; turn += 1) await clock.advance(ms / 5)
  }
  await settle()
  const world: EventSourceWorld = {
    client,
    clock,
    kept,
    metrics,
    complaints,
    forget: () => void kept.splice(0),
    refuseWith: (problem) => void (refused = problem),
    async put(resource, object) {
      const made = valueOf(await client.create({ resource, namespace: NAMESPACE }, object))
      await settle()
      return made
    },
    async source(name, spec) {
      const at = { resource: EventSourceKind, namespace: NAMESPACE }
      const body = { apiVersion: 'argoproj.io/v1alpha1', kind: 'EventSource', metadata: { name }, spec }
      const known = await client.get({ ...at, name })
      if (known.ok) valueOf(await client.update({ ...at, name }, { ...known.value, spec }))
      else valueOf(await client.create(at, body))
      await settle()
    },
    async bus(name = 'default') {
      await world.put(buses, { apiVersion: 'argoproj.io/v1alpha1', kind: 'EventBus', metadata: { name }, spec: {} })
    },
    async secret(name, data) {
      await world.put(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data })
    },
    async remove(resource, name) {
      valueOf(await client.delete({ resource, namespace: NAMESPACE, name }))
      await settle()
    },
    async condition(name, type) {
      await settle()
      const object = valueOf(await client.get({ resource: EventSourceKind, namespace: NAMESPACE, name }))
      const status = (object['status'] ?? {}) as { readonly conditions?: readonly Record<string, string>[] }
      const found = status.conditions?.find((condition) => condition['type'] === type)
      return found && `${found['status']} ${found['reason']}: ${found['message']}`
    },
    async url(name, port) {
      const slices = { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' }
      for (;;) {
        await settle()
        const read = await client.get({ resource: slices, namespace: NAMESPACE, name: `${name}-eventsource-svc` })
        const ports = read.ok
          ? (read.value['ports'] as readonly { readonly name: string; readonly port: number }[])
          : []
        const found = port === undefined ? ports[0] : ports.find((one) => one.name === `port-${port}`)
        if (found) return `http://127.0.0.1:${found.port}`
      }
    },
    settle,
    async restart(downMs = 0, meanwhile = () => Promise.resolve()) {
      await end()
      await meanwhile()
      await clock.advance(downMs)
      end = begin()
      await settle()
    },
    stop: () => end(),
  }
  return world
}

/** The data of an event. */
export const dataOf = ({ event }: Kept): unknown => JSON.parse(event.data ?? '') as unknown
