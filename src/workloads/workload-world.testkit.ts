import { setMaxListeners } from 'node:events'
import { admin, valueOf } from '../apiserver/apiserver.testkit.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../apiserver/auth/service-account-tokens.ts'
import { makeCluster } from '../apiserver/cluster.ts'
import type { Client } from '../kube/client.ts'
import type { Kind } from '../kube/gvk.ts'
import { apiVersionOf } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { movableClock, type MovableClock } from '../lib/clock.ts'
import { seededIds } from '../lib/ids.ts'
import { type LogRecord, logTo } from '../lib/log.ts'
import { controllerLoop } from '../runtime/controller.ts'
import { type EventRecorder, eventRecorder } from '../runtime/event-recorder.ts'
import { Informers } from '../runtime/informers.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { NodeAgentOptions } from './node-agent/node-agent.ts'
import { workloadControllers } from './workload-controllers.ts'

/** A cluster in memory with the controllers of workloads, at a time that stands still until it is moved. */
export interface WorkloadWorld {
  readonly client: Client
  readonly clock: MovableClock
  create(kind: Kind, object: object): Promise<KubeObject>
  get(kind: Kind, name: string): Promise<KubeObject | undefined>
  list(kind: Kind, labelSelector?: string): Promise<readonly KubeObject[]>
  /** Changes an object by a merge patch. */
  change(kind: Kind, name: string, body: object): Promise<KubeObject>
  remove(kind: Kind, name: string): Promise<void>
  /** Moves time until the fact holds; fails when it does not within the limit. */
  until(fact: () => Promise<boolean>, options?: { readonly withinMs?: number; readonly stepMs?: number }): Promise<void>
  /** The messages of Events of a reason. */
  told(reason: string): Promise<readonly string[]>
  /** Stops the controllers; fails when any of them had warned of something. */
  stop(): Promise<void>
}

const Event: Kind = { group: '', version: 'v1', kind: 'Event', plural: 'events', scope: 'Namespaced' }
const ServiceAccount: Kind = { ...Event, kind: 'ServiceAccount', plural: 'serviceaccounts' }

let keys: TokenKeys | undefined

/** Builds the cluster and starts the controllers, all of them or those that are named. */
export async function workloadWorld(
  options: { readonly only?: readonly string[]; readonly nodeAgent?: NodeAgentOptions } = {},
): Promise<WorkloadWorld> {
  const clock = movableClock()
  const ids = seededIds()
  const complaints: LogRecord[] = []
  const log = logTo(
    (record) => {
      if (record.level === 'warn' || record.level === 'error') complaints.push(record)
    },
    () => clock.now(),
  )
  const tokenKeys = (keys ??= readTokenKeys([newSigningKey()]))
  const cluster = makeCluster({ store: memoryStore(), clock, ids, log, tokenKeys })
  await cluster.server.start()
  const client = cluster.server.client(admin)
  const informers = new Informers({ client, clock, log, watchSeconds: 0 })
  const recorders = new Map<string, EventRecorder>()
  const events = (component: string): EventRecorder => {
    const known = recorders.get(component) ?? eventRecorder({ client, clock, ids, log, component })
    recorders.set(component, known)
    return known
  }
  const { only, nodeAgent } = options
  const loops = workloadControllers
    .filter(({ name }) => only === undefined || only.includes(name))
    .flatMap(({ controllers }) =>
      controllers({ client, clock, informers, events, ...(nodeAgent ? { nodeAgent } : {}) }),
    )
    .map((controller) => controllerLoop(controller, { clock, log }))
  const stopping = new AbortController()
  // Every informer and queue listens to it.
  setMaxListeners(0, stopping.signal)
  const running = Promise.all([informers, ...recorders.values(), ...loops].map((one) => one.run(stopping.signal)))
  const at = (kind: Kind) => ({ resource: kind, ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}) })
  const create = async (kind: Kind, object: object): Promise<KubeObject> =>
    valueOf(await client.create(at(kind), { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object }))
  const list = async (kind: Kind, labelSelector?: string): Promise<readonly KubeObject[]> =>
    valueOf(await client.list(at(kind), labelSelector === undefined ? {} : { labelSelector })).items
  await create(ServiceAccount, { metadata: { name: 'default' } })
  await clock.advance(1_000)
  return {
    client,
    clock,
    create,
    list,
    async get(kind, name) {
      const read = await client.get({ ...at(kind), name })
      return read.ok ? read.value : undefined
    },
    change: async (kind, name, body) =>
      valueOf(await client.patch({ ...at(kind), name }, { type: 'merge', body: body as Record<string, never> })),
    async remove(kind, name) {
      valueOf(await client.delete({ ...at(kind), name }, { propagationPolicy: 'Background' }))
    },
    async until(fact, { withinMs = 60_000, stepMs = 500 } = {}) {
      const endMs = clock.now() + withinMs
      while (!(await fact())) {
        if (clock.now() >= endMs) throw new Error(`this did not come about within ${withinMs} ms: ${fact.toString()}`)
        await clock.advance(stepMs)
      }
    },
    async told(reason) {
      return (await list(Event)).filter((event) => event['reason'] === reason).map((event) => String(event['message']))
    },
    async stop() {
      stopping.abort()
      await clock.advance(0)
      await running
      if (complaints.length > 0) throw new Error(`controllers complained: ${JSON.stringify(complaints)}`)
    },
  }
}

/** The text at a path, for expectations. */
export function at(object: KubeObject | undefined, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object)
}

/** A template whose Pods carry the label `app`. */
export const template = (
  app: string,
  { image = 'web:1', annotations = {}, spec = {} }: TemplateParts = {},
): object => ({
  metadata: { labels: { app }, annotations },
  spec: { containers: [{ name: 'main', image }], ...spec },
})

interface TemplateParts {
  readonly image?: string
  readonly annotations?: Record<string, string>
  readonly spec?: object
}
