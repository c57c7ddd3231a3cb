import { createHash } from 'node:crypto'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ApplicationSource } from '../../render/application/source.ts'
import type {
  ManifestSource,
  RecordedSource,
  ResolvedRevision,
  SourceChange,
  SourcesRequest,
} from './manifest-source.ts'

/** A source whose answers are given; for tests and twins. */
export interface RecordedManifestSource extends ManifestSource {
  /** Replaces what one source answers, by `sourceKey`, and tells listeners. */
  set(repoURL: string, path: string, recorded: RecordedSource): void
}

/** A digest of manifests that is the same for the same objects in the same order. */
export function digestOf(manifests: readonly KubeObject[]): string {
  return createHash('sha256').update(JSON.stringify(manifests)).digest('hex')
}

const keyOf = (repoURL: string, path: string): string => `${repoURL}\n${path}`

/** Makes a source of recorded answers. A revision that the request pins is answered only when it is the recorded one. */
export function recordedManifestSource(): RecordedManifestSource {
  const known = new Map<string, RecordedSource>()
  const listeners = new Set<(change: SourceChange) => void>()
  const find = (source: ApplicationSource, pinned: string | undefined): Result<RecordedSource> => {
    const { repoURL = '', path = source.chart ?? '' } = source
    const recorded = known.get(keyOf(repoURL, path))
    if (!recorded) {
      return fail({ code: 'git-unreachable', at: repoURL, message: `cannot reach ${repoURL}: it was not recorded` })
    }
    if (recorded.problem) return fail(recorded.problem)
    if (pinned && pinned !== recorded.revision) {
      return fail({ code: 'git-revision-unknown', at: repoURL, message: `${repoURL} has no revision ${pinned}` })
    }
    return succeed(recorded)
  }
  const findAll = ({ sources, revisions }: SourcesRequest): Result<readonly RecordedSource[]> => {
    const found: RecordedSource[] = []
    for (const [index, source] of sources.entries()) {
      const recorded = find(source, revisions?.[index])
      if (!recorded.ok) return recorded
      found.push(recorded.value)
    }
    return succeed(found)
  }
  return {
    async resolve(request): Promise<Result<readonly ResolvedRevision[]>> {
      const found = findAll(request)
      return found.ok ? succeed(found.value.map(({ revision }) => ({ revision, kind: 'git' }))) : found
    },
    async manifests(request) {
      const found = findAll(request)
      if (!found.ok) return found
      const manifests = found.value.flatMap((recorded) => recorded.manifests ?? [])
      return succeed({
        manifests,
        origins: found.value.flatMap((recorded, source) =>
          (recorded.manifests ?? []).map(() => ({ source, file: request.sources[source]?.path ?? '' })),
        ),
        revisions: found.value.map(({ revision }) => revision),
        sourceTypes: found.value.map(({ sourceType = 'Directory' }) => sourceType),
        warnings: [],
        digest: digestOf(manifests),
      })
    },
    async metadata() {
      return succeed({})
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(repoURL, path, recorded) {
      known.set(keyOf(repoURL, path), recorded)
      for (const listener of listeners) listener({ repoURL, refs: [] })
    },
  }
}
