import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { admin } from '../apiserver/apiserver.testkit.ts'
import { makeCluster } from '../apiserver/cluster.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../apiserver/auth/service-account-tokens.ts'
import type { Client } from '../kube/client.ts'
import { parseApiVersion, type ResourceId } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { packedCrds } from '../kube/schema/packed-crds.ts'
import { systemClock } from '../lib/clock.ts'
import { readData } from '../lib/data-file.ts'
import { systemIds } from '../lib/ids.ts'
import { silentLog } from '../lib/log.ts'
import { type MetricsRegistry, metricsRegistry } from '../lib/metrics.ts'
import { makeControllers } from '../runtime/running-controllers.ts'
import { loopbackSurfaces } from '../runtime/surfaces.ts'
import { memoryStore } from '../store/memory-store.ts'
import { makeGateway } from './gateway.ts'
import { objectsFrom } from './plan/plan.testkit.ts'

/** A cluster in memory with the gateway at work. */
export interface GatewayWorld {
  readonly client: Client
  readonly metrics: MetricsRegistry
  /** What 80 and 443 are bound as. */
  readonly http: number
  readonly https: number
  /** Writes what YAML says. */
  apply(yaml: string): Promise<void>
  remove(kind: string, name: string, namespace?: string): Promise<void>
  get(kind: string, name: string, namespace?: string): Promise<KubeObject | undefined>
  /** Asks again and again until the answer is not undefined. */
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T>
  /** Waits until a condition, found anywhere in the status of an object, is as it should be. */
  condition(kind: string, name: string, wanted: string): Promise<void>
  stop(): Promise<void>
}

let keys: TokenKeys | undefined
const definitions: ResourceId = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

const plurals = new Map([
  ['BackendTLSPolicy', 'backendtlspolicies'],
  ['GatewayClass', 'gatewayclasses'],
  ['NetworkPolicy', 'networkpolicies'],
])

function resourceOf({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): ResourceId {
  const plural = plurals.get(kind) ?? `${kind.toLowerCase()}s`
  return { ...parseApiVersion(apiVersion), plural }
}

const apiVersions = new Map([
  ['Secret', 'v1'],
  ['Service', 'v1'],
  ['Pod', 'v1'],
  ['ServiceAccount', 'v1'],
  ['Namespace', 'v1'],
  ['EndpointSlice', 'discovery.k8s.io/v1'],
  ['NetworkPolicy', 'networking.k8s.io/v1'],
  ['ReferenceGrant', 'gateway.networking.k8s.io/v1beta1'],
])

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Builds a cluster, with the namespaces `team` and `other`, a GatewayClass `idp`, and the gateway; without some definitions. */
export async function gatewayWorld(without: readonly string[] = []): Promise<GatewayWorld> {
  const clock = systemClock
  const metrics = metricsRegistry()
  const log = silentLog
  const tokenKeys = (keys ??= readTokenKeys([newSigningKey()]))
  const { server } = makeCluster({ store: memoryStore(), clock, ids: systemIds, log, tokenKeys, admission: () => [] })
  await server.start()
  const client = server.client(admin)
  for (const definition of packedCrds(readData, 'gateway-api')) {
    if (without.some((plural) => definition.metadata.name?.startsWith(`${plural}.`))) continue
    const made = await client.create({ resource: definitions }, definition)
    if (!made.ok) throw new Error(made.error.message)
  }
  const [http, https] = [await freePort(), await freePort()]
  const gateway = makeGateway({
    ports: new Map([
      [80, http],
      [443, https],
    ]),
  })
  const surfaces = loopbackSurfaces({ client, log })
  const controllers = makeControllers([{ name: 'gateway', does: '', make: gateway.controllers }], {
    client,
    clock,
    ids: systemIds,
    log,
    metrics,
    surfaces,
  })
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  const world: GatewayWorld = {
    client,
    metrics,
    http,
    https,
    async apply(yaml) {
      for (const object of objectsFrom(yaml)) {
        const apiVersion = apiVersions.get(object.kind) ?? object.apiVersion
        const body = { ...object, apiVersion, metadata: { ...object.metadata, generation: undefined } }
        const { name = '', namespace } = object.metadata
        const target = { resource: resourceOf(body), name, ...(namespace === undefined ? {} : { namespace }) }
        const wire: unknown = JSON.parse(JSON.stringify(body))
        const made = await client.patch(target, { type: 'apply', body: wire }, { fieldManager: 'test', force: true })
        if (!made.ok) throw new Error(`${object.kind} ${name}: ${made.error.message}`)
      }
    },
    async remove(kind, name, namespace = 'team') {
      const apiVersion = apiVersions.get(kind) ?? 'gateway.networking.k8s.io/v1'
      const gone = await client.delete({ resource: resourceOf({ apiVersion, kind }), namespace, name })
      if (!gone.ok) throw new Error(gone.error.message)
    },
    async get(kind, name, namespace = 'team') {
      const apiVersion = apiVersions.get(kind) ?? 'gateway.networking.k8s.io/v1'
      const isOfCluster = kind === 'GatewayClass'
      const found = await client.get({
        resource: resourceOf({ apiVersion, kind }),
        name,
        ...(isOfCluster ? {} : { namespace }),
      })
      return found.ok ? found.value : undefined
    },
    async until(what, ask) {
      for (let turn = 0; turn < 2_000; turn++) {
        const answer = await ask()
        if (answer !== undefined) return answer
        await clock.sleep(5)
      }
      throw new Error(`this never came to be: ${what}; pending: ${JSON.stringify([...controllers.pending()])}`)
    },
    async condition(kind, name, wanted) {
      await world.until(`${kind} ${name} ${wanted}`, async () => {
        const object = await world.get(kind, name)
        return JSON.stringify(object?.['status'] ?? {}).includes(wanted) ? true : undefined
      })
    },
    async stop() {
      stopping.abort(new Error('the test is over'))
      await Promise.all(running)
      await surfaces.close()
    },
  }
  await world.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
kind: GatewayClass
metadata: {name: idp}
spec: {controllerName: idp-blueprint.io/gateway}
`)
  running.push(controllers.run(stopping.signal))
  return world
}
