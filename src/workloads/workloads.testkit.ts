import { admin } from '../apiserver/apiserver.testkit.ts'
import { type Cluster, type ClusterParts, makeCluster } from '../apiserver/cluster.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../apiserver/auth/service-account-tokens.ts'
import type { Client } from '../kube/client.ts'
import { apiVersionOf, type ResourceId } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { movableClock, type MovableClock } from '../lib/clock.ts'
import { seededIds } from '../lib/ids.ts'
import { type LogRecord, logTo } from '../lib/log.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ClusterPorts } from './cluster-controller.ts'
import { chooseControllers } from '../runtime/choose-controllers.ts'
import { makeControllers, type RunningControllers } from '../runtime/running-controllers.ts'
import { clusterControllers } from './cluster-controllers.ts'

/** A whole cluster in memory, at a time that stands still until it is moved. */
export interface World {
  readonly cluster: Cluster
  readonly client: Client
  readonly clock: MovableClock
  readonly controllers: RunningControllers
  readonly logged: readonly LogRecord[]
  /** Creates an object and answers it as it is stored. */
  create(resource: ResourceId, object: Partial<KubeObject> & Pick<KubeObject, 'metadata'>): Promise<KubeObject>
  get(resource: ResourceId, name: string, namespace?: string): Promise<KubeObject | undefined>
  names(resource: ResourceId, namespace?: string): Promise<readonly string[]>
  /** Runs the controllers from now on; those that ran before are stopped. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly controllers: string
  readonly ports?: Partial<ClusterPorts>
  readonly parts?: Partial<ClusterParts>
  /** The time at which it begins. */
  readonly startMs?: number
}

let keys: TokenKeys | undefined

/** Builds a cluster and starts its controllers. */
export async function world({ controllers: choice, ports = {}, parts = {}, startMs }: WorldOptions): Promise<World> {
  const clock = movableClock(startMs)
  const logged: LogRecord[] = []
  const log = logTo(
    (record) => logged.push(record),
    () => clock.now(),
  )
  const tokenKeys = (keys ??= readTokenKeys([newSigningKey()]))
  const ids = seededIds()
  const cluster = makeCluster({ store: memoryStore(), clock, ids, log, tokenKeys, ...parts })
  await cluster.server.start()
  const client = cluster.server.client(admin)
  const found = chooseControllers(choice, clusterControllers)
  if (!found.ok) throw new Error(found.because)
  const make = (): RunningControllers => makeControllers(found.chosen, { client, clock, ids, log, ...ports })
  let controllers = make()
  let stopping = new AbortController()
  let running: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopping.abort()
    await clock.advance(0)
    await running
  }
  const start = async (): Promise<void> => {
    if (running) await stop()
    stopping = new AbortController()
    controllers = make()
    running = controllers.run(stopping.signal)
    await clock.advance(1_000)
  }
  await start()
  const at = (resource: ResourceId, namespace: string | undefined) => ({
    resource,
    ...(namespace === undefined ? {} : { namespace }),
  })
  return {
    cluster,
    client,
    clock,
    logged,
    get controllers() {
      return controllers
    },
    start,
    stop,
    async create(resource, object) {
      const info = cluster.server.registry().find(resource.group, resource.version, resource.plural)
      const typed = { apiVersion: apiVersionOf(resource), kind: info?.kind ?? '', ...object }
      const made = await client.create(at(resource, object.metadata.namespace), typed)
      if (!made.ok) throw new Error(`cannot create ${resource.plural}: ${made.error.message}`)
      return made.value
    },
    async get(resource, name, namespace) {
      const read = await client.get({ ...at(resource, namespace), name })
      return read.ok ? read.value : undefined
    },
    async names(resource, namespace) {
      const listed = await client.list(at(resource, namespace))
      return listed.ok ? listed.value.items.map(({ metadata }) => metadata.name ?? '') : [listed.error.message]
    },
  }
}

/** A reference to an owner. */
export function ownedBy(owner: KubeObject, more: object = {}): object {
  const { name, uid } = owner.metadata
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, ...more }
}
