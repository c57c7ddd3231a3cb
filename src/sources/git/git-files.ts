import { createHash } from 'node:crypto'
import { type Result, succeed, fail } from '../../lib/result.ts'

/** A place in a repository, as manifests name it. */
export interface GitPlace {
  readonly repoURL: string
  /** A branch, a tag, a constraint on tags, or a SHA; '' and HEAD are the default branch. */
  readonly revision: string
  /** What tags begin with, for constraints and versions in repositories of several components. */
  readonly tagPrefix?: string
  /** Whose project-scoped repository credentials may be used besides the shared ones. */
  readonly project?: string
}

/** Something that became different in a repository, as a push, a poll or a local commit tells. */
export interface GitChange {
  readonly repoURL: string
  /** The refs that moved, such as `refs/heads/main`; empty when that is not known. */
  readonly refs: readonly string[]
}

export interface WaitOptions {
  readonly signal?: AbortSignal
  /** Asks the repository even where a recent answer is known. */
  readonly fresh?: boolean
}

/** What generators read from Git: revisions, folders and files, with the credentials that belong to the repository. */
export interface GitFiles {
  /** The SHA of the commit that a revision means now. */
  resolve(place: GitPlace, options?: WaitOptions): Promise<Result<string>>
  /** Every folder below the root that holds files at some depth, sorted; parents come before what is below them. */
  directories(place: GitPlace, options?: WaitOptions): Promise<Result<readonly string[]>>
  /** The files whose path is wanted, by path, sorted. */
  files(
    place: GitPlace,
    isWanted: (path: string) => boolean,
    options?: WaitOptions,
  ): Promise<Result<ReadonlyMap<string, Uint8Array>>>
  /** Calls back when a repository that was asked for has changed; the returned function ends that. */
  onChange(listener: (change: GitChange) => void): () => void
}

/** The contents of repositories: URL to revision to path to text. */
export type RecordedRepositories = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>>>
>

/** Repositories in memory, for tests and twins. `set` replaces them and tells listeners which URLs differ. */
export interface RecordedGitFiles extends GitFiles {
  set(repositories: RecordedRepositories): void
}

/** Every folder that some paths lie in. */
export function foldersOf(paths: Iterable<string>): readonly string[] {
  const folders = new Set<string>()
  for (const path of paths) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = path.slice(0, slash)
      if (folders.has(folder)) break
      folders.add(folder)
    }
  }
  return [...folders].toSorted()
}

/** A name for a recorded commit, derived from what is in it. */
const recordedSha = (content: string): string => createHash('sha1').update(content).digest('hex')

/** Repositories whose contents are given. */
export function recordedGitFiles(repositories: RecordedRepositories): RecordedGitFiles {
  let known = repositories
  const listeners = new Set<(change: GitChange) => void>()
  const commitOf = ({ repoURL, revision }: GitPlace): Result<Readonly<Record<string, string | Uint8Array>>> => {
    const revisions = Object.hasOwn(known, repoURL) ? known[repoURL] : undefined
    const name = revision === '' ? 'HEAD' : revision
    const files = revisions && Object.hasOwn(revisions, name) ? revisions[name] : undefined
    if (files) return succeed(files)
    return revisions
      ? fail({ code: 'git-revision-unknown', at: repoURL, message: `${repoURL} has no revision ${name}` })
      : fail({ code: 'git-unreachable', at: repoURL, message: `cannot reach ${repoURL}: it was not recorded` })
  }
  const bytes = (text: string | Uint8Array): Uint8Array =>
    typeof text === 'string' ? new TextEncoder().encode(text) : text
  return {
    async resolve(place) {
      const files = commitOf(place)
      return files.ok ? succeed(recordedSha(JSON.stringify([place.repoURL, Object.entries(files.value)]))) : files
    },
    async directories(place) {
      const files = commitOf(place)
      return files.ok ? succeed(foldersOf(Object.keys(files.value))) : files
    },
    async files(place, isWanted) {
      const files = commitOf(place)
      if (!files.ok) return files
      const wanted = Object.entries(files.value).filter(([path]) => isWanted(path))
      return succeed(
        new Map(wanted.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([path, text]) => [path, bytes(text)])),
      )
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(next) {
      const before = known
      known = next
      for (const repoURL of new Set([...Object.keys(before), ...Object.keys(next)])) {
        if (before[repoURL] === next[repoURL]) continue
        for (const listener of listeners) listener({ repoURL, refs: [] })
      }
    },
  }
}
