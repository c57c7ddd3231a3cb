import { setMaxListeners } from 'node:events'
import { testServer, valueOf } from '../../apiserver/apiserver.testkit.ts'
import type { Client } from '../../kube/client.ts'
import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds } from '../../kube/schema/packed-crds.ts'
import type { MovableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import { type Log, type LogRecord, logTo } from '../../lib/log.ts'
import { controllerLoop } from '../../runtime/controller.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { eventRecorder } from '../../runtime/event-recorder.ts'
import { Informers } from '../../runtime/informers.ts'
import { recordedGitFiles, type RecordedGitFiles, type RecordedRepositories } from '../../sources/git/git-files.ts'
import { ApplicationKind } from '../application/application.ts'
import { defaultProject } from '../project/virtual-project.ts'
import { AppProjectKind } from '../project/app-project.ts'
import { ApplicationSetKind } from './application-set.ts'
import { applicationSetController } from './controller.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'

/** A cluster in memory with the ApplicationSet controller, and repositories that a test writes. */
export interface ApplicationSetWorld {
  readonly client: Client
  readonly clock: MovableClock
  readonly git: RecordedGitFiles
  readonly complaints: readonly LogRecord[]
  set(name: string, spec: object, metadata?: object): Promise<KubeObject>
  create(kind: Kind, object: object): Promise<KubeObject>
  change(kind: Kind, name: string, body: object, subresource?: string): Promise<KubeObject>
  get(kind: Kind, name: string): Promise<KubeObject | undefined>
  applications(): Promise<readonly KubeObject[]>
  names(): Promise<readonly string[]>
  /** The condition of a type of an ApplicationSet as `STATUS reason: message`. */
  condition(name: string, type: string): Promise<string | undefined>
  remove(kind: Kind, name: string): Promise<void>
  /** Lets the controllers come to rest. */
  settle(ms?: number): Promise<void>
  stop(): Promise<void>
}

export const NAMESPACE = 'argocd'

const WANTED = ['applications.argoproj.io', 'applicationsets.argoproj.io', 'appprojects.argoproj.io']
const Namespace: Kind = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', scope: 'Cluster' }
const Definition = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** Builds the cluster and starts the controller. */
export async function applicationSetWorld(
  repositories: RecordedRepositories = {},
  http: ServiceHttp = () => Promise.reject(new Error('no service is reached in this test')),
): Promise<ApplicationSetWorld> {
  const { client, clock } = await testServer()
  for (const definition of packedCrds(readData, 'argo-cd')) {
    if (!WANTED.includes(definition.metadata.name ?? '')) continue
    valueOf(await client.create({ resource: Definition }, definition))
  }
  valueOf(
    await client.create(
      { resource: Namespace },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ),
  )
  const at = (kind: Kind) => ({ resource: kind, namespace: NAMESPACE })
  const create = async (kind: Kind, object: object): Promise<KubeObject> =>
    valueOf(
      await client.create(at(kind), {
        apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
        kind: kind.kind,
        ...object,
      }),
    )
  await clock.advance(1_000)
  await create(AppProjectKind, defaultProject(NAMESPACE))
  const complaints: LogRecord[] = []
  const log: Log = logTo(
    (record) => {
      if (record.level === 'warn' || record.level === 'error') complaints.push(record)
    },
    () => clock.now(),
  )
  const ids = seededIds()
  const informers = new Informers({ client, clock, log, watchSeconds: 0 })
  const events = eventRecorder({ client, clock, ids, log, component: 'applicationset-controller' })
  const git = recordedGitFiles(repositories)
  const ports: ControllerPorts = { client, clock, ids, log, informers, events: () => events }
  const loop = controllerLoop(applicationSetController(ports, { git, http }), { clock, log })
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const running = Promise.all([informers, events, loop].map((one) => one.run(stopping.signal)))
  const settle = async (ms = 3_000): Promise<void> => clock.advance(ms)
  await settle()
  const world: ApplicationSetWorld = {
    client,
    clock,
    git,
    complaints,
    create,
    settle,
    async set(name, spec, metadata = {}) {
      const made = await create(ApplicationSetKind, { metadata: { name, ...metadata }, spec })
      await settle()
      return made
    },
    async change(kind, name, body, subresource) {
      const target = { ...at(kind), name, ...(subresource === undefined ? {} : { subresource }) }
      const changed = valueOf(await client.patch(target, { type: 'merge', body: body as never }))
      await settle()
      return changed
    },
    async get(kind, name) {
      const read = await client.get({ ...at(kind), name })
      return read.ok ? read.value : undefined
    },
    async applications() {
      return valueOf(await client.list(at(ApplicationKind))).items
    },
    async names() {
      return (await world.applications()).map(({ metadata }) => metadata.name ?? '')
    },
    async condition(name, type) {
      const object = await world.get(ApplicationSetKind, name)
      const status = (object?.['status'] ?? {}) as { readonly conditions?: readonly Record<string, string>[] }
      const found = status.conditions?.find((condition) => condition['type'] === type)
      return found && `${found['status']} ${found['reason']}: ${found['message']}`
    },
    async remove(kind, name) {
      valueOf(await client.delete({ ...at(kind), name }))
      await settle()
    },
    async stop() {
      stopping.abort()
      await clock.advance(0)
      await running
    },
  }
  return world
}
