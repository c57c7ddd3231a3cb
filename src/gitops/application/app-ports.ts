import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { BuiltinSchemas } from '../../kube/schema/builtin.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Result } from '../../lib/result.ts'
import type { Clusters, OpenCluster } from '../clusters/clusters.ts'
import type { Application } from './application.ts'
import type { Comparer } from '../compare/comparer.ts'
import type { DiffFacts } from '../compare/diff.ts'
import type { ResourceSettings } from '../compare/resource-settings.ts'
import type { KindTable } from '../live/kind-table.ts'
import type { HealthStatus } from '../health/status.ts'
import type { ManifestSource, Manifests } from '../manifests/manifest-source.ts'
import type { AppProject } from '../project/app-project.ts'
import type { ArgocdSettings } from '../settings/argocd-settings.ts'

/** With what Applications are looked after. */
export interface AppPorts {
  /** The cluster that holds the Applications. */
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly manifests: ManifestSource
  readonly clusters: Clusters
  readonly settings: () => ArgocdSettings
  readonly projectOf: (name: string) => Result<AppProject>
  readonly controllerNamespace: string
  /** The types of Kubernetes' own kinds. */
  readonly schemas: BuiltinSchemas
  readonly healthOf: (object: KubeObject) => HealthStatus | undefined
  /** Hears what was written about an Application, as it was before and is now. */
  readonly wrote?: (before: Application, after: Application) => void
  /** Resolves once what was written about an Application is what the next turn sees. */
  readonly caughtUp: (written: KubeObject, signal: AbortSignal) => Promise<void>
  /** The client of a cluster in somebody else's name; undefined where that cannot be had. */
  readonly actAs?: (cluster: OpenCluster, user: string) => Client | undefined
}

/**
 * How much of what an Application is compared with has to be looked at again: only the cluster, the sources as they are known,
 * the sources asked anew (`normal`), or everything though it be known (`hard`).
 */
export const refreshes = ['live', 'sources', 'normal', 'hard'] as const

export type Refresh = (typeof refreshes)[number]

/** The more thorough of two. */
export const moreThorough = (a: Refresh, b: Refresh): Refresh => (refreshes.indexOf(a) >= refreshes.indexOf(b) ? a : b)

/** What is remembered of an Application between turns; losing it costs a look, nothing else. */
export interface AppMemory {
  wants: Refresh
  /** What its sources came to, and what that depended on. */
  rendered?: { readonly inputs: string; readonly manifests: Manifests }
  /** The sources were asked since the Application was last told about. */
  isFresh?: boolean
  /** The digest of what the operation in progress brings. */
  operationDigest?: string
  comparer?: {
    readonly inputs: string
    readonly settings: ResourceSettings
    readonly kinds: KindTable
    readonly comparer: Comparer
  }
  /** What the API server said to tries, by key. */
  tried?: Map<string, { readonly target: KubeObject; readonly version: string | undefined; readonly facts: DiffFacts }>
}
