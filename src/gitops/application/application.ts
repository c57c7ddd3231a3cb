import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Condition } from '../../kube/condition.ts'
import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { HealthStatus, HealthStatusCode } from '../health/status.ts'
import type { SyncStatusCode } from '../compare/comparison.ts'

/** An Application as it is read here: only the fields that decide something. Its other fields pass through. */
export interface Application extends KubeObject {
  readonly spec: ApplicationSpec
  readonly operation?: Operation
  readonly status?: ApplicationStatus
}

export interface ApplicationSpec {
  readonly project: string
  readonly source?: ApplicationSource
  readonly sources?: readonly ApplicationSource[]
  readonly destination: Destination
  readonly syncPolicy?: SyncPolicy
  readonly ignoreDifferences?: readonly IgnoreDifference[]
  readonly info?: readonly { readonly name: string; readonly value: string }[]
  readonly revisionHistoryLimit?: number
  readonly [field: string]: unknown
}

/** Where manifests come from. The options of a renderer are read by the renderer. */
export interface ApplicationSource {
  readonly repoURL: string
  readonly path?: string
  readonly targetRevision?: string
  readonly chart?: string
  readonly ref?: string
  readonly name?: string
  readonly tagPrefix?: string
  readonly helm?: Readonly<Record<string, unknown>>
  readonly kustomize?: Readonly<Record<string, unknown>>
  readonly directory?: Readonly<Record<string, unknown>>
  readonly plugin?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export interface Destination {
  readonly server?: string
  readonly name?: string
  readonly namespace?: string
}

export interface SyncPolicy {
  readonly automated?: {
    readonly prune?: boolean
    readonly selfHeal?: boolean
    readonly allowEmpty?: boolean
    readonly enabled?: boolean
  }
  readonly syncOptions?: readonly string[]
  readonly retry?: Retry
  readonly managedNamespaceMetadata?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export interface Retry {
  readonly limit?: number
  readonly refresh?: boolean
  readonly backoff?: { readonly duration?: string; readonly factor?: number; readonly maxDuration?: string }
}

/** What shall not count as a difference, for the objects that it names. A `*` in group, kind, name or namespace is a glob. */
export interface IgnoreDifference {
  readonly group?: string
  readonly kind: string
  readonly name?: string
  readonly namespace?: string
  readonly jsonPointers?: readonly string[]
  readonly jqPathExpressions?: readonly string[]
  readonly managedFieldsManagers?: readonly string[]
}

/** What somebody asked for, once. */
export interface Operation {
  readonly sync?: SyncOperation
  readonly initiatedBy?: { readonly username?: string; readonly automated?: boolean }
  readonly info?: readonly { readonly name: string; readonly value: string }[]
  readonly retry?: Retry
}

export interface SyncOperation {
  readonly revision?: string
  readonly revisions?: readonly string[]
  readonly prune?: boolean
  readonly dryRun?: boolean
  readonly syncStrategy?: {
    readonly apply?: { readonly force?: boolean }
    readonly hook?: { readonly force?: boolean }
  }
  readonly resources?: readonly {
    readonly group?: string
    readonly kind: string
    readonly name: string
    readonly namespace?: string
    readonly exclude?: boolean
  }[]
  readonly source?: ApplicationSource
  readonly sources?: readonly ApplicationSource[]
  readonly manifests?: readonly string[]
  readonly syncOptions?: readonly string[]
  readonly autoHealAttemptsCount?: number
}

export type OperationPhase = 'Running' | 'Terminating' | 'Failed' | 'Error' | 'Succeeded'

export interface OperationState {
  readonly operation: Operation
  readonly phase: OperationPhase
  readonly message?: string
  readonly startedAt: string
  readonly finishedAt?: string
  readonly retryCount?: number
  readonly syncResult?: SyncResult
}

export interface SyncResult {
  readonly revision: string
  readonly revisions?: readonly string[]
  readonly source?: ApplicationSource
  readonly sources?: readonly ApplicationSource[]
  readonly managedNamespaceMetadata?: SyncPolicy['managedNamespaceMetadata']
  readonly resources?: readonly ResourceResult[]
}

export interface ResourceResult {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly status?: 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped'
  readonly message?: string
  readonly hookType?: string
  readonly hookPhase?: OperationPhase
  readonly syncPhase?: string
  readonly images?: readonly string[]
}

export interface ApplicationStatus {
  readonly resources?: readonly ResourceStatus[]
  readonly sync?: SyncStatus
  readonly health?: {
    readonly status?: HealthStatusCode
    readonly message?: string
    readonly lastTransitionTime?: string
  }
  readonly history?: readonly RevisionHistory[]
  readonly conditions?: readonly ApplicationCondition[]
  readonly operationState?: OperationState
  readonly reconciledAt?: string
  readonly sourceType?: string
  readonly sourceTypes?: readonly string[]
  readonly summary?: ApplicationSummary
  readonly resourceHealthSource?: string
  readonly controllerNamespace?: string
  readonly [field: string]: unknown
}

export interface ApplicationSummary {
  readonly images?: readonly string[]
  readonly externalURLs?: readonly string[]
  readonly isAppOfApps?: boolean
}

export interface SyncStatus {
  readonly status: SyncStatusCode
  readonly comparedTo?: {
    readonly source?: ApplicationSource
    readonly sources?: readonly ApplicationSource[]
    readonly destination?: Destination
    readonly ignoreDifferences?: readonly IgnoreDifference[]
  }
  readonly revision?: string
  readonly revisions?: readonly string[]
}

export interface ResourceStatus {
  readonly group?: string
  readonly version?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly status?: SyncStatusCode
  readonly health?: HealthStatus
  readonly hook?: boolean
  readonly requiresPruning?: boolean
  readonly requiresDeletionConfirmation?: boolean
  readonly syncWave?: number
}

export interface RevisionHistory {
  readonly id: number
  readonly revision?: string
  readonly revisions?: readonly string[]
  readonly source?: ApplicationSource
  readonly sources?: readonly ApplicationSource[]
  readonly deployedAt: string
  readonly deployStartedAt?: string
  readonly initiatedBy?: Operation['initiatedBy']
}

/** A condition of an Application has no status: its presence is the news. */
export interface ApplicationCondition extends Omit<Condition, 'status'> {
  readonly type: string
  readonly message: string
}

/** The group that all kinds of this feature belong to. */
export const ARGO_GROUP = 'argoproj.io'

/** Reads an Application; what is there has the shape that the interface says, and what is missing is said. */
export function parseApplication(object: unknown): Result<Application> {
  if (!isObject(object) || !isObject(object['metadata']))
    return invalid('', 'an Application is an object with metadata')
  const spec = object['spec']
  if (!isObject(spec)) return invalid('spec', 'spec must say where the manifests come from and where they go')
  if (!isObject(spec['destination'])) return invalid('spec.destination', 'spec.destination must name a cluster')
  const { source, sources } = spec
  const all = sources === undefined || sources === null ? [source] : Array.isArray(sources) ? sources : [sources]
  if (!all.every((one) => isObject(one) || one === undefined))
    return invalid('spec.sources', 'every source must be an object with a repoURL')
  return succeed(object as unknown as Application) // the CustomResourceDefinition's schema vouches for the rest
}

const invalid = (at: string, message: string): Result<never> => fail({ code: 'application-invalid', at, message })

/** The kind Application as a value. */
export const ApplicationKind: Kind = {
  group: ARGO_GROUP,
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  scope: 'Namespaced',
}

/** The sources of an Application in order: `sources` when it has any, else its one source. */
export function sourcesOf(spec: Pick<ApplicationSpec, 'source' | 'sources'>): readonly ApplicationSource[] {
  if (spec.sources && spec.sources.length > 0) return spec.sources
  return spec.source ? [spec.source] : []
}
