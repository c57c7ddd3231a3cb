import { admin, valueOf } from '../apiserver/apiserver.testkit.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../apiserver/auth/service-account-tokens.ts'
import { makeCluster } from '../apiserver/cluster.ts'
import type { UserInfo } from '../kube/admission.ts'
import type { Client, Collection } from '../kube/client.ts'
import { parseApiVersion } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { packedCrds } from '../kube/schema/packed-crds.ts'
import type { ApiResult } from '../kube/status.ts'
import { movableClock, type MovableClock } from '../lib/clock.ts'
import { readData } from '../lib/data-file.ts'
import { seededIds } from '../lib/ids.ts'
import { silentLog } from '../lib/log.ts'
import { metricsRegistry, type MetricsRegistry } from '../lib/metrics.ts'
import { parseYamlDocuments } from '../lib/yaml.ts'
import { makeControllers } from '../runtime/running-controllers.ts'
import type { ControllerPorts } from '../runtime/controller-part.ts'
import { memoryStore } from '../store/memory-store.ts'
import { makePolicies, type Policies } from './policies.ts'

/** A cluster in memory that is governed by policies, at a time that stands still until it is moved. */
export interface PolicyWorld {
  readonly client: Client
  readonly clock: MovableClock
  readonly metrics: MetricsRegistry
  readonly policies: Policies
  clientAs(user: UserInfo): Client
  /** Creates the objects of YAML documents; the last answer. */
  apply(text: string, options?: { readonly dryRun?: boolean; readonly as?: Client }): Promise<ApiResult<KubeObject>>
  find(apiVersion: string, plural: string, namespace?: string): Promise<readonly KubeObject[]>
  /** Moves time until the fact holds; fails when it does not. */
  until(fact: () => Promise<boolean>): Promise<void>
  stop(): Promise<void>
}

let keys: TokenKeys | undefined

const plurals: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  ClusterPolicy: 'clusterpolicies',
  Policy: 'policies',
  ValidatingPolicy: 'validatingpolicies',
  GeneratingPolicy: 'generatingpolicies',
  ClusterCleanupPolicy: 'clustercleanuppolicies',
  GlobalContextEntry: 'globalcontextentries',
}
const clusterWide = new Set([
  'Namespace',
  'ClusterPolicy',
  'ValidatingPolicy',
  'GeneratingPolicy',
  'ClusterCleanupPolicy',
  'GlobalContextEntry',
  'CustomResourceDefinition',
])

/** Where an object is kept. */
export function collectionFor({ apiVersion, kind, metadata }: KubeObject): Collection {
  const resource = { ...parseApiVersion(apiVersion), plural: plurals[kind] ?? `${kind.toLowerCase()}s` }
  return { resource, ...(clusterWide.has(kind) ? {} : { namespace: metadata.namespace ?? 'default' }) }
}

/** The objects of a text. */
export function objectsOf(text: string): readonly KubeObject[] {
  const parsed = parseYamlDocuments(text)
  if (!parsed.ok) throw new Error(parsed.error[0]?.message)
  return parsed.value.flatMap(({ value }) => (value ? [value as KubeObject] : []))
}

/** Starts a governed cluster; with its background, or with admission alone. */
export async function policyWorld({
  isBackground = true,
}: { readonly isBackground?: boolean } = {}): Promise<PolicyWorld> {
  const clock = movableClock()
  const ids = seededIds()
  const log = silentLog
  const metrics = metricsRegistry()
  let policies: Policies | undefined
  const cluster = makeCluster({
    store: memoryStore(),
    clock,
    ids,
    log,
    tokenKeys: (keys ??= readTokenKeys([newSigningKey()])),
    admission(source) {
      // Everybody may do everything here: what accounts may not do is shown by the conformance cases.
      policies = makePolicies({
        clock,
        ids,
        log,
        metrics,
        source,
        clientAs: ({ username }) => clientAs({ username, groups: admin.groups }),
      })
      return policies.admission
    },
  })
  const clientAs = (user: UserInfo): Client => cluster.server.client(user)
  await cluster.server.start()
  const client = clientAs(admin)
  if (!policies) throw new Error('admission was not made')
  for (const definition of packedCrds(readData, 'kyverno')) {
    valueOf(await client.create(collectionFor({ ...definition, kind: 'CustomResourceDefinition' }), definition))
  }
  const stopping = new AbortController()
  const made = policies
  const controllers = makeControllers<ControllerPorts>(
    isBackground ? [{ name: 'policies', does: 'all', make: made.controllers }] : [],
    { client, clock, ids, log, metrics },
  )
  const running = controllers.run(stopping.signal)
  await clock.advance(100)
  return {
    client,
    clock,
    metrics,
    policies: made,
    clientAs,
    async apply(text, { dryRun = false, as = client } = {}) {
      let last: ApiResult<KubeObject> | undefined
      for (const object of objectsOf(text)) last = await as.create(collectionFor(object), object, { dryRun })
      if (!last) throw new Error('there is nothing to apply')
      return last
    },
    async find(apiVersion, plural, namespace) {
      const resource = { ...parseApiVersion(apiVersion), plural }
      return valueOf(await client.list({ resource, ...(namespace === undefined ? {} : { namespace }) })).items
    },
    async until(fact) {
      for (let step = 0; step < 200; step++) {
        if (await fact()) return
        await clock.advance(50)
      }
      throw new Error('it did not come to that')
    },
    async stop() {
      stopping.abort(new Error('the test is over'))
      await running
      await cluster.server.close()
    },
  }
}
