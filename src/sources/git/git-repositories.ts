import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Commit } from './commit.ts'
import { foldersOf, type GitChange, type GitFiles, type GitPlace, type WaitOptions } from './git-files.ts'
import { ObjectCache, type ObjectLoader } from './git-objects.ts'
import type { GitProgram } from './git-process.ts'
import { type GitTree, useTree } from './git-tree.ts'
import { type GitRemote, normalGitUrl, parseGitUrl, withoutUser } from './git-url.ts'
import { LocalRepository } from './local-repository.ts'
import { Mirror } from './mirror.ts'
import { meaningOf, type Refs, shortRef } from './refs.ts'
import { RemoteRepository } from './remote-repository.ts'
import type { Repository } from './repository.ts'
import { environmentFor, type RepositoryAccess } from './repository-access.ts'
import { turns } from './turns.ts'

export interface GitRepositoriesOptions {
  /** Where mirrors and key files are kept; ours alone. */
  readonly folder: string
  /** The environment's PATH, where git and ssh are looked for. */
  readonly path: string
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Who we are to a repository; a problem when its Secret asks for something that is not supported. */
  readonly access?: (repoURL: string, project: string | undefined) => Result<RepositoryAccess>
  /** The folder that a URL is served from instead of the network, such as the working tree that this runs in. */
  readonly servedFrom?: (repoURL: string) => string | undefined
  /** Whether repositories on this machine's disk may be read by their path. */
  readonly mayReadDisk?: boolean
  readonly pollMs?: number
  readonly jitterMs?: number
  readonly timeoutMs?: number
}

/** A commit of a repository, ready to be read. */
export interface CommitPlace {
  readonly repoURL: string
  readonly sha: string
  readonly project?: string
}

/** What to do with the files of a commit. */
export interface FilesUse<T> extends WaitOptions {
  /** Folders that will be read whole. */
  readonly ahead?: readonly string[]
  readonly work: (tree: GitTree, commit: Commit) => T
}

/** Every repository that is in use: one mirror a URL, one reader a repository, refs that are kept current. */
export interface GitRepositories extends GitFiles {
  /** Does synchronous work on the files of a commit; only the last run of `work` counts. */
  use<T>(place: CommitPlace, use: FilesUse<T>): Promise<Result<T>>
  commit(place: CommitPlace, options?: WaitOptions): Promise<Result<Commit & { readonly tags: readonly string[] }>>
  /** Asks a repository now, as after a push webhook; whoever listens hears what moved. */
  check(repoURL: string): Promise<void>
  /** Keeps all repositories current until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
  close(): void
}

const POLL_MS = 180_000
const JITTER_MS = 60_000
const TIMEOUT_MS = 90_000
const CACHE_BYTES = 96 * 1024 * 1024
const MOST_AT_ONCE = 8
const MOST_FILE_BYTES = 256 * 1024 * 1024
const MOST_FILES = 200_000
const MOST_AHEAD = 256

/** Opens repositories as they are asked for. */
export function gitRepositories(options: GitRepositoriesOptions): GitRepositories {
  return new Repositories(options)
}

class Repositories implements GitRepositories {
  readonly #options: GitRepositoriesOptions
  readonly #program: GitProgram
  readonly #cache = new ObjectCache(CACHE_BYTES)
  readonly #network = turns(MOST_AT_ONCE)
  readonly #mirrors = new Map<string, Mirror>()
  readonly #open = new Map<string, { readonly repository: Repository; readonly urls: Set<string> }>()
  readonly #listeners = new Set<(change: GitChange) => void>()
  #follow: ((key: string) => void) | undefined

  constructor(options: GitRepositoriesOptions) {
    this.#options = options
    const home = join(options.folder, 'home')
    mkdirSync(home, { recursive: true, mode: 0o700 })
    this.#program = {
      clock: options.clock,
      path: options.path,
      home,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      maxOutputBytes: 64 * 1024 * 1024,
    }
  }

  async resolve(place: GitPlace, options: WaitOptions = {}): Promise<Result<string>> {
    const repository = this.#repository(place)
    if (!repository.ok) return repository
    const refs = await repository.value.refs(options)
    if (!refs.ok) return refs
    const meaning = meaningOf(place.revision, refs.value, place.tagPrefix)
    if (meaning.is === 'commit') return succeed(meaning.sha)
    if (meaning.is === 'short') return repository.value.expand(meaning.prefix, options)
    return fail(unknownRevision(withoutUser(place.repoURL), place.revision, refs.value))
  }

  async commit(
    { repoURL, sha, project }: CommitPlace,
    options: WaitOptions = {},
  ): Promise<Result<Commit & { readonly tags: readonly string[] }>> {
    const repository = this.#repository({ repoURL, ...(project === undefined ? {} : { project }) })
    if (!repository.ok) return repository
    const commit = await repository.value.commit(sha, options)
    if (!commit.ok) return commit
    const refs = await repository.value.refs(options)
    const tags = refs.ok
      ? [...refs.value].filter(([ref, target]) => target === commit.value.sha && ref.startsWith('refs/tags/'))
      : []
    return succeed({ ...commit.value, tags: tags.map(([ref]) => shortRef(ref)) })
  }

  async use<T>({ repoURL, sha, project }: CommitPlace, use: FilesUse<T>): Promise<Result<T>> {
    const repository = this.#repository({ repoURL, ...(project === undefined ? {} : { project }) })
    if (!repository.ok) return repository
    const commit = await repository.value.commit(sha, use.signal ? { signal: use.signal } : {})
    if (!commit.ok) return commit
    return useTree({
      loader: repository.value.loader,
      rootOid: commit.value.tree,
      work: (tree) => use.work(tree, commit.value),
      ...(use.ahead ? { ahead: use.ahead } : {}),
      ...(use.signal ? { signal: use.signal } : {}),
    })
  }

  async directories(place: GitPlace, options: WaitOptions = {}): Promise<Result<readonly string[]>> {
    const files = await this.#paths(place, options)
    return files.ok ? succeed(foldersOf(files.value.paths.keys())) : files
  }

  async files(
    place: GitPlace,
    isWanted: (path: string) => boolean,
    options: WaitOptions = {},
  ): Promise<Result<ReadonlyMap<string, Uint8Array>>> {
    const all = await this.#paths(place, options)
    if (!all.ok) return all
    const wanted = [...all.value.paths].filter(([path]) => isWanted(path)).toSorted(([a], [b]) => (a < b ? -1 : 1))
    const found = new Map<string, Uint8Array>()
    let bytes = 0
    for (let at = 0; at < wanted.length; at += MOST_AHEAD) {
      options.signal?.throwIfAborted()
      const part = wanted.slice(at, at + MOST_AHEAD)
      const objects = await Promise.all(part.map(([, oid]) => all.value.loader.load(oid)))
      for (const [index, object] of objects.entries()) {
        const path = part[index]?.[0] ?? ''
        if (object.is === 'blob') found.set(path, object.data)
        bytes += object.is === 'blob' ? object.data.length : 0
        if (object.is === 'too-large' || bytes > MOST_FILE_BYTES) {
          return fail({ code: 'git-too-large', at: path, message: `cannot read ${path}: the files are too large` })
        }
      }
    }
    return succeed(found)
  }

  /** Every regular file of a commit with its SHA. Links are left out: what they lead to is there under its own name. */
  async #paths(
    place: GitPlace,
    options: WaitOptions,
  ): Promise<Result<{ readonly paths: ReadonlyMap<string, string>; readonly loader: ObjectLoader }>> {
    const sha = await this.resolve(place, options)
    if (!sha.ok) return sha
    const repository = this.#repository(place)
    if (!repository.ok) return repository
    const commit = await repository.value.commit(sha.value, options.signal ? { signal: options.signal } : {})
    if (!commit.ok) return commit
    const { loader } = repository.value
    const paths = new Map<string, string>()
    let level: readonly (readonly [prefix: string, oid: string])[] = [['', commit.value.tree]]
    while (level.length > 0 && paths.size <= MOST_FILES) {
      options.signal?.throwIfAborted()
      const trees = await Promise.all(level.map(([, oid]) => loader.load(oid)))
      const next: (readonly [string, string])[] = []
      for (const [index, tree] of trees.entries()) {
        const prefix = level[index]?.[0] ?? ''
        if (tree.is !== 'tree') continue
        for (const [name, { kind, oid }] of tree.entries) {
          if (kind === 'folder') next.push([`${prefix}${name}/`, oid])
          else if (kind === 'file') paths.set(prefix + name, oid)
        }
      }
      level = next
    }
    if (paths.size > MOST_FILES) {
      return fail({ code: 'git-too-large', message: `the repository has more than ${MOST_FILES} files` })
    }
    return succeed({ paths, loader })
  }

  onChange(listener: (change: GitChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async check(repoURL: string): Promise<void> {
    const name = normalGitUrl(repoURL)
    const open = [...this.#open.values()].filter(({ urls }) => [...urls].some((url) => normalGitUrl(url) === name))
    await Promise.all(open.map(({ repository }) => repository.refs({ fresh: true })))
  }

  async run(signal: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>()
    const stop = new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#follow = (key) => {
      const entry = this.#open.get(key)
      if (!entry || signal.aborted) return
      const following = entry.repository
        .follow((refs) => this.#tell(entry.urls, refs), signal)
        .catch((error: unknown) =>
          this.#options.log.error('a repository is not followed any more', error, {
            repository: entry.repository.name,
          }),
        )
        .finally(() => running.delete(following))
      running.add(following)
    }
    for (const key of this.#open.keys()) this.#follow(key)
    await stop
    this.#follow = undefined
    await Promise.all(running)
  }

  #tell(urls: ReadonlySet<string>, refs: readonly string[]): void {
    for (const repoURL of urls) for (const listener of this.#listeners) listener({ repoURL, refs })
  }

  close(): void {
    for (const { repository } of this.#open.values()) repository.close()
    for (const mirror of this.#mirrors.values()) mirror.close()
    this.#open.clear()
    this.#mirrors.clear()
  }

  #repository({ repoURL, project }: { readonly repoURL: string; readonly project?: string }): Result<Repository> {
    const served = this.#options.servedFrom?.(repoURL)
    if (served !== undefined) return succeed(this.#local(repoURL, served))
    const remote = parseGitUrl(repoURL)
    if (!remote.ok) return remote
    if (remote.value.transport === 'local') {
      if (this.#options.mayReadDisk !== false) return succeed(this.#local(repoURL, remote.value.path))
      return fail({
        code: 'git-url-invalid',
        at: 'repoURL',
        message: `cannot use ${repoURL}: repositories on this machine's disk are not read here`,
        cure: 'push it to a server, and use its https or ssh URL',
      })
    }
    const access = this.#options.access?.(repoURL, project) ?? succeed({})
    return access.ok ? succeed(this.#remote(repoURL, remote.value, access.value)) : access
  }

  #local(repoURL: string, path: string): Repository {
    return this.#entry(`local ${path}`, repoURL, () => {
      const { log } = this.#options
      return new LocalRepository({ path, program: this.#program, cache: this.#cache, log })
    })
  }

  #remote(repoURL: string, remote: GitRemote & { readonly url: string }, access: RepositoryAccess): Repository {
    const who = createHash('sha256')
      .update(JSON.stringify([remote, access]))
      .digest('hex')
    return this.#entry(`remote ${who}`, repoURL, () => {
      const { folder, ids, log, pollMs = POLL_MS, jitterMs = JITTER_MS } = this.#options
      const name = withoutUser(remote.url)
      const mirror =
        this.#mirrors.get(remote.url) ??
        new Mirror(name, remote.url, join(folder, 'mirrors'), this.#program, this.#cache)
      this.#mirrors.set(remote.url, mirror)
      const env = environmentFor(remote, access, join(folder, 'access'))
      const { url } = remote
      const program = this.#program
      return new RemoteRepository({ name, url, env, mirror, program, turns: this.#network, ids, log, pollMs, jitterMs })
    })
  }

  #entry(key: string, repoURL: string, open: () => Repository): Repository {
    const known = this.#open.get(key)
    if (known) {
      known.urls.add(repoURL)
      return known.repository
    }
    const repository = open()
    this.#open.set(key, { repository, urls: new Set([repoURL]) })
    this.#follow?.(key)
    return repository
  }
}

function unknownRevision(
  name: string,
  revision: string,
  refs: Refs,
): { readonly code: string; readonly at: string; readonly message: string; readonly cure?: string } {
  const branches = [...refs.keys()].filter((ref) => ref.startsWith('refs/heads/')).map(shortRef)
  const known = branches.toSorted().slice(0, 5).join(', ')
  const wanted = JSON.stringify(revision === '' ? 'HEAD' : revision)
  return {
    code: 'git-revision-unknown',
    at: name,
    message:
      refs.size === 0
        ? `cannot find the revision ${wanted}: the repository ${name} has no commits yet`
        : `cannot find the revision ${wanted}: the repository ${name} has no such branch, tag or commit`,
    ...(known === '' ? {} : { cure: `its branches are ${known}${branches.length > 5 ? ' and more' : ''}` }),
  }
}
