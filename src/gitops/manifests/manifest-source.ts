import type { KubeObject } from '../../kube/object.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { ObjectOrigin } from '../../render/application/render-source.ts'
import type { ApplicationSource } from '../../render/application/source.ts'

/** What makes manifests of a source, as the status of an Application names it. */
export type SourceTypeName = 'Helm' | 'Kustomize' | 'Directory' | 'Plugin'

/** Whose sources these are. */
export interface AppIdentity {
  readonly name: string
  /** Where the Application object lives. */
  readonly namespace: string
  readonly project: string
  /** How the Application is called where names must be unique over namespaces; left out, its name. */
  readonly instanceName?: string
}

/** The sources of an Application: `spec.source` alone, or all of `spec.sources` in their order. */
export interface SourcesRequest {
  readonly app: AppIdentity
  readonly sources: readonly ApplicationSource[]
  /** What to use instead of each source's targetRevision: a rollback, or a sync to a certain revision. '' keeps it. */
  readonly revisions?: readonly string[]
  /** Asks repositories even where a recent answer is known. `hard` also renders again whatever is cached. */
  readonly refresh?: 'normal' | 'hard'
}

/** What one source's revision means now. */
export interface ResolvedRevision {
  /** The SHA of a commit, the version of a chart, or the digest of an artifact. */
  readonly revision: string
  readonly kind: 'git' | 'chart' | 'oci'
}

/** Everything that manifests depend on besides the files. */
export interface ManifestRequest extends SourcesRequest {
  /** `spec.destination.namespace`. */
  readonly destinationNamespace: string
  /** The version and the kinds of the destination cluster, for charts that ask. */
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
  /** `argocd.argoproj.io/manifest-generate-paths` of the Application. */
  readonly generatePaths?: string
}

/** A manifest and where it was written. */
export interface ManifestOrigin extends ObjectOrigin {
  /** Which of the sources, from 0. */
  readonly source: number
}

/** All manifests of an Application, or a problem: never some of them. */
export interface Manifests {
  /** In the order of the sources, as rendered; neither tracked nor given a namespace yet. */
  readonly manifests: readonly KubeObject[]
  /** For each manifest, where it came from. */
  readonly origins: readonly ManifestOrigin[]
  /** For each source, what was rendered. */
  readonly revisions: readonly string[]
  readonly sourceTypes: readonly SourceTypeName[]
  readonly warnings: readonly string[]
  /** A digest of the manifests: the same as before means that nothing needs to be compared again on their behalf. */
  readonly digest: string
}

/** Who made a revision, when and why: what the history of an Application shows. */
export interface RevisionMetadata {
  readonly author?: string
  /** RFC 3339. */
  readonly date?: string
  readonly message?: string
  readonly tags?: readonly string[]
}

/** A source that may have become different. */
export interface SourceChange {
  readonly repoURL: string
  /** The refs that moved, when that is known. */
  readonly refs: readonly string[]
}

export interface SourceCallOptions {
  readonly signal?: AbortSignal
}

/** Where an Application's manifests come from. Refusals are values and say what to change. */
export interface ManifestSource {
  /** For each source, what its revision means now. Cheap: nothing is rendered. */
  resolve(request: SourcesRequest, options?: SourceCallOptions): Promise<Result<readonly ResolvedRevision[]>>
  manifests(request: ManifestRequest, options?: SourceCallOptions): Promise<Result<Manifests>>
  metadata(
    app: AppIdentity,
    source: ApplicationSource,
    revision: string,
    options?: SourceCallOptions,
  ): Promise<Result<RevisionMetadata>>
  /** Calls back when a repository that was asked for has changed; the returned function ends that. */
  onChange(listener: (change: SourceChange) => void): () => void
}

/** What an in-memory source answers for a repository and path: objects of a revision, or why there are none. */
export interface RecordedSource {
  readonly revision: string
  readonly manifests?: readonly KubeObject[]
  readonly problem?: Problem
  readonly sourceType?: SourceTypeName
}
