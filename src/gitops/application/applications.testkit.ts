import { testServer, valueOf } from '../../apiserver/apiserver.testkit.ts'
import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds } from '../../kube/schema/packed-crds.ts'
import { systemClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import { logTo, type LogRecord } from '../../lib/log.ts'
import { type RecordedManifestSource, recordedManifestSource } from '../manifests/recorded-source.ts'
import { type Application, ApplicationKind } from './application.ts'
import { applications } from './applications.ts'

/** A cluster in memory with the controller of Applications, whose sources are recorded. */
export interface GitOpsWorld {
  readonly client: Client
  readonly source: RecordedManifestSource
  readonly log: readonly LogRecord[]
  /** What others do right before the controller's next deletion arrives. */
  readonly beforeDelete: (() => Promise<unknown>)[]
  /** What Git has under the path `app`, from now on. */
  commit(revision: string, manifests: readonly KubeObject[]): void
  create(object: KubeObject): Promise<KubeObject>
  app(name?: string): Promise<Application>
  /** Waits until an Application is as wanted; the message of a failure says how it was instead. */
  until(isWanted: (app: Application) => boolean, name?: string): Promise<Application>
  /** Waits until the world is as wanted. */
  eventually<T>(look: () => Promise<T | undefined>): Promise<T>
  /** Ends the controller as a crash would, and begins another one. */
  restart(): Promise<void>
  close(): Promise<void>
}

export const REPO = 'https://git.example.com/shop.git'
const LIMIT_MS = 15_000

/** An Application of the recorded repository, in few words. */
export function application(spec: Readonly<Record<string, unknown>> = {}, name: string = 'shop'): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL: REPO, path: 'app', targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
      ...spec,
    },
  }
}

export const automated: Readonly<Record<string, unknown>> = {
  syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
}

export const configMap = (
  name: string,
  data: Readonly<Record<string, string>> = {},
  metadata: object = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})

/** Nobody collects garbage in this world: what would wait for that goes at once. */
function withoutGarbage(client: Client, beforeDelete: GitOpsWorld['beforeDelete']): Client {
  return {
    ...client,
    async delete(target, options = {}) {
      for (const act of beforeDelete.splice(0)) await act()
      return client.delete(
        target,
        options.propagationPolicy === 'Foreground' ? { ...options, propagationPolicy: 'Background' } : options,
      )
    },
  }
}

/** Starts a world; parts of its API server may be chosen. */
export async function gitOpsWorld(parts: Parameters<typeof testServer>[0] = {}): Promise<GitOpsWorld> {
  const { client } = await testServer({ clock: systemClock, ...parts })
  for (const crd of packedCrds(readData, 'argo-cd')) {
    valueOf(
      await client.create(
        { resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' } },
        crd,
      ),
    )
  }
  const records: LogRecord[] = []
  const log = logTo(
    (record) => records.push(record),
    () => systemClock.now(),
  )
  const source = recordedManifestSource()
  const beforeDelete: GitOpsWorld['beforeDelete'] = []
  const begin = (): { readonly stop: AbortController; readonly running: Promise<void> } => {
    const stop = new AbortController()
    const part = applications({
      client: withoutGarbage(client, beforeDelete),
      clock: systemClock,
      ids: seededIds(),
      log,
      manifests: source,
      watchSeconds: 0,
    })
    return { stop, running: part.run(stop.signal).catch(() => {}) }
  }
  let running = begin()
  const end = async (): Promise<void> => {
    running.stop.abort(new Error('the test has ended'))
    await running.running
  }
  const eventually = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    const limit = AbortSignal.timeout(LIMIT_MS)
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      if (limit.aborted) throw new Error('what was waited for did not happen')
      await systemClock.sleep(5)
    }
  }
  const world: GitOpsWorld = {
    client,
    source,
    beforeDelete,
    log: records,
    commit: (revision, manifests) => source.set(REPO, 'app', { revision, manifests }),
    async create(object) {
      const { apiVersion, kind, metadata } = object
      const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
      const resource = { group, version, plural: `${kind.toLowerCase()}s` }
      return valueOf(
        await client.create({ resource, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) }, object),
      )
    },
    async app(name = 'shop') {
      const found = await client.get({ resource: ApplicationKind, namespace: 'argocd', name })
      return valueOf(found) as Application
    },
    async until(isWanted, name = 'shop') {
      let last: Application | undefined
      try {
        return await eventually(async () => {
          last = await world.app(name)
          return isWanted(last) ? last : undefined
        })
      } catch (cause) {
        throw new Error(`the Application is not as wanted but ${JSON.stringify(last?.status, undefined, 2)}`, { cause })
      }
    },
    eventually,
    async restart() {
      await end()
      running = begin()
    },
    close: end,
  }
  valueOf(
    await client.create(
      { resource: { group: '', version: 'v1', plural: 'namespaces' } },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
    ),
  )
  return world
}
