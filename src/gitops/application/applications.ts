import { setMaxListeners } from 'node:events'
import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import { isEqual } from '../../lib/json.ts'
import { silentMetrics } from '../../lib/metrics.ts'
import { type Result, succeed } from '../../lib/result.ts'
import { readData } from '../../lib/data-file.ts'
import { type Controller, controllerLoop } from '../../runtime/controller.ts'
import type { ControllerPart, ControllerPorts } from '../../runtime/controller-part.ts'
import type { EventRecorder } from '../../runtime/event-recorder.ts'
import { Informer } from '../../runtime/informer.ts'
import { done } from '../../runtime/work-queue.ts'
import { CLUSTER_SECRET } from '../clusters/cluster-secret.ts'
import { Clusters, type OpenCluster } from '../clusters/clusters.ts'
import type { LiveChange, LiveSettings } from '../live/live-cluster.ts'
import { appKeyOf } from '../live/app-key.ts'
import type { ManifestSource } from '../manifests/manifest-source.ts'
import { type AppProject, AppProjectKind, parseAppProject } from '../project/app-project.ts'
import { isListed } from '../project/check-application.ts'
import { normalRepoUrl } from '../project/match-rule.ts'
import { defaultProject } from '../project/virtual-project.ts'
import { type ArgocdSettings, type Data, readSettings } from '../settings/argocd-settings.ts'
import { type Application, ApplicationKind, parseApplication, sourcesOf } from './application.ts'
import { type AppMemory, type AppPorts, moreThorough, type Refresh } from './app-ports.ts'
import { missingProject } from './look.ts'
import { isInProgress } from './plan/operation-state.ts'
import { appMetrics } from './app-metrics.ts'
import { judgeOf } from './judge.ts'
import { noteChange } from './notes.ts'
import { refreshFor } from './relevance.ts'
import { takeTurn } from './turn.ts'

export interface ApplicationsOptions extends Pick<ControllerPorts, 'client' | 'clock' | 'ids' | 'log' | 'metrics'> {
  readonly manifests: ManifestSource
  /** Where projects, settings and the first Applications live. */
  readonly namespace?: string
  /** 0 where the cluster is in this process. */
  readonly watchSeconds?: number
  readonly actAs?: (cluster: OpenCluster, user: string) => Client | undefined
  /** Where users are told what became of their Applications. */
  readonly events?: EventRecorder
}

export const USUAL_NAMESPACE = 'argocd'

/** The controller of Applications: everything that can change one leads to a turn on its key. */
export function applications(options: ApplicationsOptions): ControllerPart {
  const { client, clock, ids, log, manifests, namespace = USUAL_NAMESPACE } = options
  const memories = new Map<string, AppMemory>()
  /** Operations that wait, by the namespace in which what they wait for lives. */
  const waiting = new Map<string, string>()
  /** Applications that want to know what else lives in a namespace. */
  const orphanWatchers = new Map<string, Set<string>>()
  const schemas = builtinSchemas(readData)
  let settings: ArgocdSettings = readSettings()
  let judge = judgeOf(settings.resources)
  const metrics = appMetrics(options.metrics ?? silentMetrics)
  let stop: AbortSignal | undefined
  /** What the settings were read from. */
  let read: readonly [Data, Data] | undefined

  const informerOf = <T extends KubeObject>(
    spec: Omit<ConstructorParameters<typeof Informer<T>>[0], 'client' | 'clock' | 'log'>,
  ): Informer<T> =>
    new Informer<T>({
      client,
      clock,
      log,
      ...(options.watchSeconds === undefined ? {} : { watchSeconds: options.watchSeconds }),
      ...spec,
    })
  const core = (plural: string) => ({ group: '', version: 'v1', plural })
  const apps = informerOf<Application>({
    collection: { resource: ApplicationKind },
    parse: readApplication,
    indexes: {
      project: ({ spec }) => [spec.project || 'default'],
      repo: ({ spec }) => sourcesOf(spec).map(({ repoURL }) => normalRepoUrl(repoURL ?? '')),
    },
  })
  const projects = informerOf<KubeObject>({ collection: { resource: AppProjectKind, namespace } })
  const secrets = informerOf<KubeObject>({
    collection: { resource: core('secrets'), namespace },
    labelSelector: CLUSTER_SECRET,
  })
  const maps = informerOf<KubeObject>({ collection: { resource: core('configmaps'), namespace } })

  const isOurs = (app: Application): boolean => {
    const at = app.metadata.namespace ?? ''
    return at === namespace || settings.namespaces.some((rule) => isListed(rule, at))
  }
  const memoryOf = (key: string): AppMemory => {
    const known = memories.get(key) ?? { wants: 'sources' as Refresh }
    memories.set(key, known)
    return known
  }
  const wake = (key: string, wants: Refresh): void => {
    const memory = memoryOf(key)
    memory.wants = moreThorough(memory.wants, wants)
    loop.queue.add(key)
  }
  const wakeAll = (wants: Refresh, keep: (app: Application) => boolean = () => true): void => {
    for (const app of apps.cache.list()) if (isOurs(app) && keep(app)) wake(keyOf(app), wants)
  }

  const clusters = new Clusters(
    {
      client,
      clock,
      ids,
      log,
      ...(options.watchSeconds === undefined ? {} : { watchSeconds: options.watchSeconds }),
      opened(cluster) {
        cluster.live.listen((change) => liveChanged(cluster, change))
        if (!stop) return
        void cluster.live.synced(stop).then(
          () => wakeAll('live', ({ spec }) => clusters.find(spec.destination)?.server === cluster.entry.server),
          () => {},
        )
      },
    },
    liveSettings(settings),
  )

  const liveChanged = ({ live }: OpenCluster, { type, object, previous, instances }: LiveChange): void => {
    if (!live.isSynced) return
    if (instances.length > 0) {
      const isNews = type !== 'changed' || !previous || judge.isNews(previous, object)
      if (isNews) for (const instance of instances) wake(appKeyOf(instance, namespace), 'live')
    }
    if (type !== 'changed' && instances.length === 0 && (object.metadata.ownerReferences ?? []).length === 0) {
      for (const key of orphanWatchers.get(object.metadata.namespace ?? '') ?? []) wake(key, 'live')
    }
    if (object.kind !== 'Pod' || waiting.size === 0) return
    // What an operation waits for is often told by a Pod that it has made.
    for (const [key, at] of waiting) if (at === object.metadata.namespace) loop.queue.add(key)
  }

  const projectOf = (name: string): Result<AppProject> => {
    const found = projects.cache.get(`${namespace}/${name}`)
    if (found) return succeed(parsedProject(found))
    // It is always there, even when nobody has written it down.
    if (name === 'default') return succeed(parseAppProject(defaultProject(namespace) as KubeObject))
    return missingProject(name, namespace)
  }

  const watchOrphans = (key: string, { spec }: Application): void => {
    const project = projectOf(spec.project || 'default')
    const { namespace: at = '' } = spec.destination
    if (!project.ok || !project.value.orphanedResources || at === '') return
    const known = orphanWatchers.get(at) ?? new Set<string>()
    orphanWatchers.set(at, known.add(key))
  }

  const ports: AppPorts = {
    client,
    clock,
    log,
    manifests,
    clusters,
    settings: () => settings,
    projectOf,
    controllerNamespace: namespace,
    schemas,
    healthOf: (object) => judge.healthOf(object),
    caughtUp: (written, signal) => apps.caughtUp(written, signal),
    wrote(before, after) {
      if (options.events) noteChange(options.events, before, after)
      metrics.wrote(before, after)
    },
    ...(options.actAs ? { actAs: options.actAs } : {}),
  }

  const controller: Controller = {
    name: 'applications',
    watches: [],
    concurrency: settings.concurrency,
    async reconcile(key, context) {
      const app = apps.cache.get(key)
      if (!app || !isOurs(app)) {
        memories.delete(key)
        waiting.delete(key)
        return done
      }
      watchOrphans(key, app)
      const turn = await takeTurn(app, memoryOf(key), ports, context)
      const now = apps.cache.get(key)
      if (now && isInProgress(now.status?.operationState)) waiting.set(key, now.spec.destination.namespace ?? '')
      else waiting.delete(key)
      return turn
    },
  }
  const loop = controllerLoop(controller, { clock, log, ...(options.metrics ? { metrics: options.metrics } : {}) })

  const readMaps = (): void => {
    const data = (name: string): Data => (maps.cache.get(`${namespace}/${name}`)?.['data'] ?? {}) as Data // ConfigMaps hold texts
    const [cm, params] = [data('argocd-cm'), data('argocd-cmd-params-cm')]
    if (read && isEqual(read, [cm, params])) return
    read = [cm, params]
    settings = readSettings(cm, params)
    judge = judgeOf(settings.resources)
    for (const problem of [...settings.problems, ...judge.problems])
      log.warn('a setting is left out', { at: problem.at, because: problem.message })
    clusters.configure(liveSettings(settings))
    wakeAll('live')
  }

  return {
    pending: () => loop.queue.pending(),
    async run(signal) {
      stop = signal
      setMaxListeners(0, signal)
      const running = [apps, projects, secrets, maps, clusters].map((one) => one.run(signal))
      await Promise.all([projects, secrets, maps].map((one) => one.synced(signal))).catch(() => {})
      if (!signal.aborted) {
        readMaps()
        clusters.update(secrets.cache.list())
        maps.listen(() => readMaps())
        secrets.listen(() => {
          const changed = new Set(clusters.update(secrets.cache.list()))
          if (changed.size > 0)
            wakeAll('live', ({ spec }) =>
              changed.has(clusters.find(spec.destination)?.server ?? spec.destination.server ?? ''),
            )
        })
        projects.listen(({ object, type }) => {
          const name = object.metadata.name ?? ''
          if (type !== 'added' || apps.cache.size > 0)
            for (const app of apps.cache.by('project', name)) wake(keyOf(app), 'live')
        })
        apps.listen(({ type, key, object, previous }) => {
          if (!isOurs(object)) return
          metrics.seen(type === 'removed' ? undefined : object, previous ?? object)
          if (type === 'removed') {
            loop.queue.add(key)
            return
          }
          const wants = refreshFor(previous, object)
          if (wants !== 'nothing') wake(key, wants)
        })
      }
      const leave = manifests.onChange(({ repoURL }) => {
        for (const app of apps.cache.by('repo', normalRepoUrl(repoURL))) wake(keyOf(app), 'sources')
      })
      await Promise.all([...running, loop.run(signal)]).finally(leave)
    },
  }
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`

const liveSettings = ({ resources: { tracking, filter } }: ArgocdSettings): LiveSettings => ({ tracking, filter })

function readApplication(object: KubeObject): Application {
  const parsed = parseApplication(object)
  if (parsed.ok) return parsed.value
  throw new Error(parsed.error[0]?.message ?? 'it is no Application')
}

const parsed = new WeakMap<KubeObject, AppProject>()

function parsedProject(object: KubeObject): AppProject {
  const known = parsed.get(object) ?? parseAppProject(object)
  parsed.set(object, known)
  return known
}
