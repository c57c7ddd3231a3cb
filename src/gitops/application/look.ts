import { setMaxListeners } from 'node:events'
import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import type { Clock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { CLUSTER_SECRET } from '../clusters/cluster-secret.ts'
import { Clusters } from '../clusters/clusters.ts'
import type { HealthStatus } from '../health/status.ts'
import type { LiveCluster } from '../live/live-cluster.ts'
import type { ManifestSource } from '../manifests/manifest-source.ts'
import { AppProjectKind, parseAppProject } from '../project/app-project.ts'
import { defaultProject } from '../project/virtual-project.ts'
import { type ArgocdSettings, type Data, readSettings } from '../settings/argocd-settings.ts'
import { eventIndex } from '../tree/events.ts'
import type { Explaining } from '../tree/explain.ts'
import { OwnerIndex } from '../tree/owner-index.ts'
import type { AppPorts } from './app-ports.ts'
import type { Application } from './application.ts'
import { judgeOf } from './judge.ts'
import { observe, type Observed, placeOf } from './observe.ts'
import type { Wanted } from './render-targets.ts'

export interface LookOptions {
  readonly client: Client
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly manifests: ManifestSource
  /** Where projects and settings live. */
  readonly namespace: string
}

/** What somebody who does not run the controller sees of an Application, with the same eyes. */
export interface Look {
  readonly observed: Observed
  readonly settings: ArgocdSettings
  /** What is needed to explain it; undefined where its destination is not known. */
  readonly explaining?: Explaining
}

const core = (plural: string) => ({ group: '', version: 'v1', plural })

/** Looks at an Application once, as its controller would. */
export async function lookAt(
  app: Application,
  wanted: Wanted,
  options: LookOptions,
  signal: AbortSignal,
): Promise<Look> {
  const stopping = new AbortController()
  const both = AbortSignal.any([signal, stopping.signal])
  setMaxListeners(0, both)
  const { clusters, ports } = await portsFor(app, options)
  const running = clusters.run(both)
  try {
    const place = placeOf(app, ports)
    if (place.ok)
      await Promise.race([place.value.cluster.live.synced(both), options.clock.sleep(SYNC_MS, { signal: both })])
    const observed = await observe(app, { wants: 'live' }, { refresh: 'sources', ...wanted }, ports, both)
    const settings = ports.settings()
    if (!place.ok) return { observed, settings }
    return { observed, settings, explaining: await explainingIn(place.value.cluster.live, app, ports.healthOf) }
  } finally {
    stopping.abort(new Error('the look has ended'))
    await running
  }
}

const SYNC_MS = 30_000

async function portsFor(
  app: Application,
  options: LookOptions,
): Promise<{ readonly clusters: Clusters; readonly ports: AppPorts }> {
  const { client, namespace } = options
  const map = async (name: string): Promise<Data> => {
    const found = await client.get({ resource: core('configmaps'), namespace, name })
    return ((found.ok ? found.value['data'] : undefined) ?? {}) as Data // ConfigMaps hold texts
  }
  const settings = readSettings(await map('argocd-cm'), await map('argocd-cmd-params-cm'))
  const { tracking, filter } = settings.resources
  const clusters = new Clusters({ ...options, opened: () => {} }, { tracking, filter })
  const secrets = await client.list({ resource: core('secrets'), namespace }, { labelSelector: CLUSTER_SECRET })
  clusters.update(secrets.ok ? secrets.value.items : [])
  const name = app.spec.project || 'default'
  const project = await client.get({ resource: AppProjectKind, namespace, name })
  return {
    clusters,
    ports: {
      ...options,
      clusters,
      settings: () => settings,
      projectOf() {
        if (project.ok) return succeed(parseAppProject(project.value))
        if (name === 'default') return succeed(parseAppProject(defaultProject(namespace) as KubeObject))
        return missingProject(name, namespace)
      },
      controllerNamespace: namespace,
      schemas: builtinSchemas(readData),
      healthOf: judgeOf(settings.resources).healthOf,
      caughtUp: async () => {},
    },
  }
}

/** Nobody has written the project that an Application names. */
export function missingProject(name: string, namespace: string): Result<never> {
  return fail({
    code: 'project-missing',
    at: 'spec.project',
    message: `Application referencing project ${name} which does not exist`,
    cure: `create the AppProject ${namespace}/${name}, or name another one`,
  })
}

async function explainingIn(
  live: LiveCluster,
  app: Application,
  healthOf: (object: KubeObject) => HealthStatus | undefined,
): Promise<Explaining> {
  const index = new OwnerIndex()
  for (const object of live.everything()) index.set(object)
  const namespace = app.spec.destination.namespace ?? ''
  const events = await live.client.list({ resource: core('events'), ...(namespace === '' ? {} : { namespace }) })
  return { index, events: eventIndex(events.ok ? events.value.items : []), healthOf }
}
