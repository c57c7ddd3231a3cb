import { admin, valueOf } from '../../apiserver/apiserver.testkit.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../../apiserver/auth/service-account-tokens.ts'
import { makeCluster } from '../../apiserver/cluster.ts'
import type { Client, Collection } from '../../kube/client.ts'
import type { Condition } from '../../kube/condition.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds } from '../../kube/schema/packed-crds.ts'
import type { ApiResult } from '../../kube/status.ts'
import { movableClock, type MovableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { objectsOf } from '../../lib/fields.ts'
import { seededIds } from '../../lib/ids.ts'
import { silentLog } from '../../lib/log.ts'
import { metricsRegistry, type MetricsRegistry } from '../../lib/metrics.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import { Informers } from '../../runtime/informers.ts'
import { memoryStore } from '../../store/memory-store.ts'
import type { Store } from '../../store/store.ts'
import { EventLog } from '../bus/event-log.ts'
import { eventBuses } from '../bus/event-bus-controller.ts'
import type { Published } from '../bus/publish.ts'
import type { BusRecord } from '../bus/record.ts'
import { triggerChecks } from '../triggers/checks.ts'
import { makeTriggers } from '../triggers/executors.ts'
import { sensorAdmission } from './admission.ts'
import { testEvent, testWorld } from './sensor.testkit.ts'
import { sensors, type Sensors } from './sensor-controller.ts'
import type { TraceStep } from './trace-sink.ts'
import type { FireContext, Fired, ResolvedTrigger } from './trigger.ts'

/** One time that a trigger was fired. */
export interface Shot {
  readonly trigger: string
  readonly fireId: string
  readonly attempt: number
  readonly ids: readonly string[]
  readonly template: ResolvedTrigger['template']
}

/** A cluster in memory with a bus, Sensors and a clock that stands still until it is moved. */
export interface SensorsWorld {
  readonly client: Client
  readonly clock: MovableClock
  readonly metrics: MetricsRegistry
  readonly store: Store<BusRecord>
  readonly shots: Shot[]
  readonly traced: TraceStep[]
  /** What is answered to a `log` trigger; other kinds are carried out. */
  answer: (trigger: ResolvedTrigger, context: FireContext) => Promise<Result<Fired>>
  /** With what status HTTP is answered. */
  http: number
  readonly sensors: () => Sensors
  /** Creates the objects of YAML documents. */
  apply(text: string): Promise<void>
  /** The same, where it may be refused. */
  attempt(text: string): Promise<readonly ApiResult<KubeObject>[]>
  /** Sends an event of `web`. */
  send(eventName: string, id: string, data?: unknown): Promise<Result<Published>>
  /** The conditions of the Sensor `reacts`, by type, as `True`, or as `False: Reason: message`. */
  conditions(): Promise<Readonly<Record<string, string>>>
  /** Lets everything that can happen now happen. */
  settle(): Promise<void>
  /** Stops the controllers and starts them again, as a new process would. */
  restart(): Promise<void>
  stop(): Promise<void>
}

let tokenKeys: TokenKeys | undefined
const clusterWide = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'])
const plurals: Readonly<Record<string, string>> = { EventBus: 'eventbus' }

function collectionFor({ apiVersion, kind, metadata }: KubeObject): Collection {
  const resource = { ...parseApiVersion(apiVersion), plural: plurals[kind] ?? `${kind.toLowerCase()}s` }
  return { resource, ...(clusterWide.has(kind) ? {} : { namespace: metadata.namespace ?? 'team-a' }) }
}

/** The namespace `team-a` with an EventBus. */
export const usualObjects = `
apiVersion: v1
kind: Namespace
metadata: { name: team-a }
---
apiVersion: argoproj.io/v1alpha1
kind: EventBus
metadata: { name: default, namespace: team-a }
spec: { jetstream: { version: latest } }
`

/** Starts the world; `admission` refuses Sensors as a cluster would. */
export async function sensorsWorld({ admission = true }: { readonly admission?: boolean } = {}): Promise<SensorsWorld> {
  tokenKeys ??= readTokenKeys([newSigningKey()])
  const clock = movableClock()
  const ids = seededIds()
  const judging = { ...testWorld, checks: triggerChecks }
  const { server } = makeCluster({
    store: memoryStore(),
    clock,
    ids,
    log: silentLog,
    tokenKeys,
    admission: () => (admission ? [sensorAdmission(judging)] : []),
  })
  await server.start()
  const client = server.client(admin)
  for (const definition of packedCrds(readData, 'argo-events'))
    valueOf(await client.create(collectionFor(definition), definition))
  const store = memoryStore<BusRecord>()
  const metrics = metricsRegistry()
  const executors = makeTriggers({
    client,
    clientAs: (user) => server.client(user),
    clock,
    log: silentLog,
    http: () => () => Promise.resolve({ status: world.http, headers: new Map(), body: '' }),
  })
  let running: { readonly sensors: Sensors; readonly bus: EventLog; readonly stop: () => Promise<void> } | undefined
  const settle = async (): Promise<void> => {
    // Several rounds: a watch wakes a turn, whose write wakes a watch.
    for (let round = 0; round < 30; round++) await clock.advance(0)
  }
  const start = (): NonNullable<typeof running> => {
    const ended = new AbortController()
    const informers = new Informers({ client, clock, log: silentLog, watchSeconds: 0 })
    const bus = new EventLog({ store, clock, ids, log: silentLog, metrics })
    const ports = {
      client,
      informers,
      clock,
      ids,
      log: silentLog,
      events: () => ({ note: () => {}, run: () => Promise.resolve() }),
    }
    const made = sensors(ports, {
      bus,
      world: judging,
      metrics,
      clientAs: (user) => server.client(user),
      trace: (step) => void world.traced.push(step),
      executors: {
        rightsOf: (trigger) => executors.rightsOf(trigger),
        fire(trigger, context) {
          world.shots.push({
            trigger: trigger.template.name,
            fireId: context.fireId,
            attempt: context.attempt,
            ids: [...context.events.values()].map((event) => event.context.id ?? ''),
            template: trigger.template,
          })
          return trigger.kind === 'log' ? world.answer(trigger, context) : executors.fire(trigger, context)
        },
      },
    })
    const { signal } = ended
    const parts = [informers.run(signal), bus.run(signal), eventBuses(ports, bus).run(signal), made.run(signal)]
    return {
      sensors: made,
      bus,
      stop: async () => {
        ended.abort(new Error('stopped'))
        await clock.advance(0)
        await Promise.all(parts)
      },
    }
  }
  const current = (): NonNullable<typeof running> => {
    if (!running) throw new Error('the world is stopped')
    return running
  }
  const world: SensorsWorld = {
    client,
    clock,
    metrics,
    store,
    shots: [],
    traced: [],
    http: 200,
    answer: () => Promise.resolve(succeed({ because: 'told' })),
    sensors: () => current().sensors,
    settle,
    async apply(text) {
      for (const made of await world.attempt(text)) valueOf(made)
    },
    async attempt(text) {
      const documents = parseYamlDocuments(text)
      if (!documents.ok) throw new Error(JSON.stringify(documents.error))
      const made: ApiResult<KubeObject>[] = []
      for (const { value } of documents.value) {
        const object = value as KubeObject // a test's own document
        made.push(await client.create(collectionFor(object), object))
      }
      await settle()
      return made
    },
    async send(eventName, id, data = {}) {
      const to = { namespace: 'team-a', busName: 'default', eventSourceName: 'web', eventName }
      const published = await current().bus.publish(to, testEvent(eventName, id, data))
      await settle()
      return published
    },
    async conditions() {
      await settle()
      // News of triggers is told a moment later.
      await clock.advance(250)
      await settle()
      const resource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'sensors' }
      const found = valueOf(await client.get({ resource, namespace: 'team-a', name: 'reacts' }))
      const conditions = (objectsOf(found['status'], 'conditions') ?? []) as unknown as readonly Condition[] // a status
      return Object.fromEntries(
        conditions.map(({ type, status, reason, message }) => [
          type,
          status === 'True' ? status : `${status}: ${reason}: ${message}`,
        ]),
      )
    },
    async restart() {
      await current().stop()
      running = start()
      await settle()
    },
    async stop() {
      await running?.stop()
      running = undefined
    },
  }
  running = start()
  await world.apply(usualObjects)
  return world
}

/** A failure for a trigger to meet. */
export const refusal = (message: string): Promise<Result<Fired>> =>
  Promise.resolve(fail({ code: 'trigger-refused', message }))

/** A Sensor `reacts` in YAML: dependencies `a` and `b`, and triggers. */
export const sensorYaml = (triggers: string, more: string = '', annotations: string = '{}'): string => `
apiVersion: argoproj.io/v1alpha1
kind: Sensor
metadata: { name: reacts, namespace: team-a, annotations: ${annotations} }
spec:
  dependencies:
    - { name: a, eventSourceName: web, eventName: a }
    - { name: b, eventSourceName: web, eventName: b }
  triggers: ${triggers}
${more}
`
