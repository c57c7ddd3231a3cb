import { setMaxListeners } from 'node:events'
import { admin, valueOf } from '../../apiserver/apiserver.testkit.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../../apiserver/auth/service-account-tokens.ts'
import { makeCluster } from '../../apiserver/cluster.ts'
import type { AdmissionPlugin } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import { conditionOf, type Condition } from '../../kube/condition.ts'
import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds } from '../../kube/schema/packed-crds.ts'
import { type MovableClock, movableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import { type LogRecord, logTo } from '../../lib/log.ts'
import { type MetricsRegistry, metricsRegistry } from '../../lib/metrics.ts'
import { type EventRecorder, eventRecorder } from '../../runtime/event-recorder.ts'
import { Informers } from '../../runtime/informers.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'
import { memoryStore } from '../../store/memory-store.ts'
import { changeFeed, type ToldChangeFeed } from '../change-feed.ts'
import { externalAdmission } from './admission/external-admission.ts'
import { externalSecrets } from './external-secrets.ts'
import { type FakeVault, fakeVault } from './fake-vault.testkit.ts'
import {
  ConfigMapKind,
  ExternalSecretKind,
  NamespaceKind,
  PushSecretKind,
  SecretKind,
  SecretStoreKind,
} from './kinds.ts'

/** A cluster in memory with External Secrets and a Vault, at a time that stands still until it is moved. */
export interface ExternalTestWorld {
  readonly client: Client
  readonly clock: MovableClock
  readonly vault: FakeVault
  readonly changes: ToldChangeFeed
  readonly metrics: MetricsRegistry
  readonly logged: readonly LogRecord[]
  create(kind: Kind, object: object): Promise<KubeObject>
  change(kind: Kind, name: string, body: object, namespace?: string): Promise<KubeObject>
  get(kind: Kind, name: string, namespace?: string): Promise<KubeObject | undefined>
  remove(kind: Kind, name: string): Promise<void>
  /** Writes to the Vault and tells of it, as the store of this process would. */
  rotate(path: string, data: Readonly<Record<string, unknown>>): Promise<void>
  /** The values of a Secret as they are. */
  secret(name: string, namespace?: string): Promise<Readonly<Record<string, string>> | undefined>
  ready(kind: Kind, name: string, namespace?: string): Promise<Condition | undefined>
  /** Moves time in small steps until the fact holds. */
  until(fact: () => Promise<boolean>, withinMs?: number): Promise<void>
  settle(): Promise<void>
  /** Everything that Events said, with their reasons. */
  told(): Promise<readonly string[]>
  /** Everything that is in the cluster but Secrets, the log and the metrics, as one text. */
  everythingPublic(): Promise<string>
  /** Ends the controllers, as a crash would, and begins them anew. */
  restart(): Promise<void>
  /** Begins the controllers anew beside what hangs for ever. */
  crash(): void
  stop(): Promise<void>
}

const Event: Kind = { group: '', version: 'v1', kind: 'Event', plural: 'events', scope: 'Namespaced' }
const CRDS = { resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' } }

let keys: TokenKeys | undefined

/** Builds the world. */
export async function externalTestWorld(
  more: {
    readonly admission?: readonly AdmissionPlugin[]
    readonly http?: ServiceHttp
    /** The way to the cluster that the controllers have. */
    readonly wrap?: (client: Client) => Client
  } = {},
): Promise<ExternalTestWorld> {
  const clock = movableClock()
  const ids = seededIds()
  const logged: LogRecord[] = []
  const log = logTo(
    (record) => logged.push(record),
    () => clock.now(),
  )
  const tokenKeys = (keys ??= readTokenKeys([newSigningKey()]))
  const metrics = metricsRegistry()
  const vault = fakeVault()
  const cluster = makeCluster({
    store: memoryStore(),
    clock,
    ids,
    log,
    tokenKeys,
    admission: () => [externalAdmission(), ...(more.admission ?? [])],
  })
  await cluster.server.start()
  const client = cluster.server.client(admin)
  for (const crd of packedCrds(readData, 'external-secrets')) valueOf(await client.create(CRDS, crd))
  const changes = changeFeed((error) => log.error('a listener failed', error))

  const begin = () => {
    const informers = new Informers({ client, clock, log, watchSeconds: 0 })
    const recorders = new Map<string, EventRecorder>()
    const events = (component: string): EventRecorder => {
      const known = recorders.get(component) ?? eventRecorder({ client, clock, ids, log, component })
      recorders.set(component, known)
      return known
    }
    const part = externalSecrets(
      { client: more.wrap?.(client) ?? client, informers, clock, ids, log, metrics, events },
      changes,
      more.http ?? vault.http,
    )
    const stopping = new AbortController()
    setMaxListeners(0, stopping.signal)
    const running = Promise.all([informers, part, ...recorders.values()].map((one) => one.run(stopping.signal)))
    return { stopping, running }
  }
  let current = begin()
  const end = async (): Promise<void> => {
    current.stopping.abort(new Error('the test has ended'))
    await clock.advance(0)
    await current.running
  }
  const at = (kind: Kind, namespace = 'default') => ({
    resource: kind,
    ...(kind.scope === 'Namespaced' ? { namespace } : {}),
  })
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 40; turn++) await clock.advance(0)
  }
  const world: ExternalTestWorld = {
    client,
    clock,
    vault,
    changes,
    metrics,
    logged,
    settle,
    async create(kind, object) {
      const { metadata } = object as { readonly metadata: { readonly namespace?: string } }
      const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
      return valueOf(await client.create(at(kind, metadata.namespace), { apiVersion, kind: kind.kind, ...object }))
    },
    change: async (kind, name, body, namespace) =>
      valueOf(
        await client.patch({ ...at(kind, namespace), name }, { type: 'merge', body: body as Record<string, never> }),
      ),
    async get(kind, name, namespace) {
      const read = await client.get({ ...at(kind, namespace), name })
      return read.ok ? read.value : undefined
    },
    async remove(kind, name) {
      valueOf(await client.delete({ ...at(kind), name }))
    },
    async rotate(path, data) {
      vault.put(path, data)
      changes.tell({ what: 'changed', mount: 'secret/', path })
      await settle()
    },
    async secret(name, namespace) {
      const secret = await world.get(SecretKind, name, namespace)
      if (!secret) return undefined
      const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
      )
    },
    async ready(kind, name, namespace) {
      const object = await world.get(kind, name, namespace)
      const status = object?.['status'] as { readonly conditions?: readonly Condition[] } | undefined
      return conditionOf(status?.conditions, 'Ready')
    },
    async until(fact, withinMs = 30_000) {
      const endMs = clock.now() + withinMs
      while (!(await fact())) {
        if (clock.now() >= endMs) throw new Error(`this did not come about within ${withinMs} ms: ${fact.toString()}`)
        await settle()
        if (await fact()) return
        await clock.advance(100)
      }
    },
    async told() {
      await settle()
      const events = valueOf(await client.list({ resource: Event })).items
      return events.map((event) => `${String(event['reason'])}: ${String(event['message'])}`)
    },
    async everythingPublic() {
      await settle()
      const kinds = [ExternalSecretKind, PushSecretKind, SecretStoreKind, Event, NamespaceKind, ConfigMapKind]
      const objects = await Promise.all(kinds.map(async (kind) => valueOf(await client.list({ resource: kind })).items))
      return JSON.stringify([objects, logged]) + metrics.text()
    },
    async restart() {
      await end()
      current = begin()
      await settle()
    },
    crash() {
      current.stopping.abort(new Error('the process has ended'))
      current = begin()
    },
    async stop() {
      await end()
    },
  }
  await settle()
  return world
}

/** A store in the Vault of the world, with the token of the Secret `vault-token`. */
export const vaultStore = (name: string = 'vault', more: object = {}): object => ({
  metadata: { name, namespace: 'default' },
  spec: {
    provider: {
      vault: {
        server: 'http://vault.vault.svc:8200',
        path: 'secret',
        version: 'v2',
        auth: { tokenSecretRef: { name: 'vault-token', key: 'token' } },
        ...more,
      },
    },
  },
})

/** The Secret with the token. */
export const vaultToken: object = {
  metadata: { name: 'vault-token', namespace: 'default' },
  stringData: { token: 'root' },
}

/** An ExternalSecret of the namespace `default`. */
export const external = (name: string, spec: object): object => ({
  metadata: { name, namespace: 'default' },
  spec: { secretStoreRef: { name: 'vault', kind: 'SecretStore' }, ...spec },
})

/** One key of a Secret from one key of a secret. */
export const item = (secretKey: string, key: string, property: string = ''): object => ({
  secretKey,
  remoteRef: { key, ...(property === '' ? {} : { property }) },
})
