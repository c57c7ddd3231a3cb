import { type FSWatcher, existsSync, readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Log } from '../../lib/log.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { CatFile } from './cat-file.ts'
import { type Commit, parseCommit } from './commit.ts'
import { type ObjectCache, ObjectLoader } from './git-objects.ts'
import { problemOf } from './git-problem.ts'
import { type GitProgram, runGit, startGit } from './git-process.ts'
import { movedRefs, parseRefs, type Refs } from './refs.ts'
import type { RefsOptions, Repository } from './repository.ts'

/** Where a repository on disk keeps its own state, and what it shares with its other working trees. */
export interface GitFolders {
  readonly gitDir: string
  readonly commonDir: string
}

const isGitDir = (path: string): boolean =>
  existsSync(join(path, 'HEAD')) && (existsSync(join(path, 'objects')) || existsSync(join(path, 'commondir')))

function foldersAt(gitDir: string): GitFolders {
  const shared = join(gitDir, 'commondir')
  const commonDir = existsSync(shared) ? resolve(gitDir, readFileSync(shared, 'utf8').trim()) : gitDir
  return { gitDir, commonDir }
}

/** The repository at a path: bare, or the `.git` of a working tree. */
export function gitFoldersAt(path: string): GitFolders | undefined {
  const dotGit = join(path, '.git')
  if (existsSync(dotGit)) {
    if (statSync(dotGit).isDirectory()) return isGitDir(dotGit) ? foldersAt(dotGit) : undefined
    const link = /^gitdir: (.+)$/m.exec(readFileSync(dotGit, 'utf8'))?.[1]?.trim()
    if (link === undefined) return undefined
    const gitDir = isAbsolute(link) ? link : resolve(path, link)
    return isGitDir(gitDir) ? foldersAt(gitDir) : undefined
  }
  return isGitDir(path) ? foldersAt(path) : undefined
}

/** The root of the working tree or the bare repository that holds a path. */
export function repositoryAbove(path: string): string | undefined {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (gitFoldersAt(at)) return at
    if (dirname(at) === at) return undefined
  }
}

/** Events come in bursts: a commit renames several locks. */
const SETTLE_MS = 10
/** How often refs are read where the system cannot watch folders. */
const FALLBACK_MS = 2_000
const MOST_FOLDERS = 1_000
const MAX_OBJECT_BYTES = 16 * 1024 * 1024

interface LocalOptions {
  readonly path: string
  readonly program: GitProgram
  readonly cache: ObjectCache
  readonly log: Log
}

/** A repository on this machine's disk, read from its own object database. A commit is noticed when it is made. */
export class LocalRepository implements Repository {
  readonly name: string
  readonly loader: ObjectLoader
  readonly #options: LocalOptions
  readonly #catFile: CatFile
  #known: Refs | undefined
  #reading: Promise<Result<Refs>> | undefined
  #isFollowed = false
  #tell: ((refs: readonly string[]) => void) | undefined

  constructor(options: LocalOptions) {
    const { program, path } = options
    this.#options = options
    this.name = path
    this.#catFile = new CatFile({
      clock: program.clock,
      maxBytes: MAX_OBJECT_BYTES,
      start: () => startGit(program, { args: [...this.#where(), 'cat-file', '--batch'] }),
    })
    this.loader = new ObjectLoader(this.#catFile, options.cache)
  }

  #where(): readonly string[] {
    return [`--git-dir=${gitFoldersAt(this.#options.path)?.gitDir ?? this.#options.path}`]
  }

  async refs({ fresh, signal }: RefsOptions = {}): Promise<Result<Refs>> {
    if (this.#known && this.#isFollowed && !fresh) return succeed(this.#known)
    signal?.throwIfAborted()
    // A reading that has begun may have missed what a fresh one is to see.
    if (fresh) await this.#reading
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #read(): Promise<Result<Refs>> {
    const { path, program } = this.#options
    if (!gitFoldersAt(path)) {
      return fail({
        code: 'git-unreachable',
        at: path,
        message: `cannot read ${path}: there is no Git repository`,
        cure: `git init ${path}`,
      })
    }
    const output = await runGit(program, { args: [...this.#where(), 'show-ref', '--head', '--dereference'] })
    // Without any ref, as in a repository without a commit, git says nothing and fails.
    if (output.code !== 0 && (output.code !== 1 || output.err !== '')) {
      return fail(problemOf(path, output, program.timeoutMs))
    }
    const refs = parseRefs(output.out.toString('utf8'))
    const before = this.#known
    this.#known = refs
    const moved = before ? movedRefs(before, refs) : []
    if (moved.length > 0) this.#tell?.(moved)
    return succeed(refs)
  }

  async commit(sha: string): Promise<Result<Commit>> {
    const answer = await this.#catFile.ask(`${sha}^{commit}`)
    const commit = answer.is === 'object' ? parseCommit(answer.object.oid, answer.object.data) : undefined
    return commit ? succeed(commit) : fail(unknownCommit(this.name, sha))
  }

  async expand(prefix: string): Promise<Result<string>> {
    const found = await this.commit(prefix)
    return found.ok ? succeed(found.value.sha) : found
  }

  async follow(tell: (refs: readonly string[]) => void, signal: AbortSignal): Promise<void> {
    const { program, log, path } = this.#options
    const watchers = new Map<string, FSWatcher>()
    let cancel: (() => void) | undefined
    const check = async (): Promise<void> => {
      try {
        // First the watch, then the look: what happens in between is an event.
        this.#watchFolders(watchers, soon)
        await this.refs({ fresh: true })
      } catch (error) {
        log.warn('cannot read the refs of a repository', { path, because: describeError(error) })
      }
    }
    const soon = (): void => {
      cancel ??= program.clock.after(SETTLE_MS, () => {
        cancel = undefined
        if (!signal.aborted) void check()
      })
    }
    this.#tell = tell
    try {
      this.#watchFolders(watchers, soon)
      this.#isFollowed = true
      // What happened before the watch began.
      await this.refs({ fresh: true })
      await aborted(signal)
    } catch (error) {
      log.warn('cannot watch a repository, so it is read every other second', { path, because: describeError(error) })
      while (!signal.aborted) {
        await this.refs({ fresh: true })
        await program.clock.sleep(FALLBACK_MS, { signal }).catch(() => {})
      }
    } finally {
      this.#isFollowed = false
      this.#tell = undefined
      cancel?.()
      for (const watcher of watchers.values()) watcher.close()
    }
  }

  /** Watches every folder that holds refs; new ones come with branches that have slashes. */
  #watchFolders(watchers: Map<string, FSWatcher>, changed: () => void): void {
    const folders = gitFoldersAt(this.#options.path)
    if (!folders) return
    const wanted = new Set([folders.gitDir, folders.commonDir, ...refFolders(join(folders.commonDir, 'refs'))])
    for (const [path, watcher] of watchers) {
      if (wanted.has(path) && existsSync(path)) continue
      watcher.close()
      watchers.delete(path)
    }
    for (const path of wanted) {
      if (watchers.has(path)) continue
      const isTop = path === folders.gitDir || path === folders.commonDir
      const watcher = watch(path, { persistent: false }, (_event, name) => {
        // Beside refs, only these two say something; the index and others change often.
        if (!isTop || name === null || /^(?:HEAD|packed-refs|refs|reftable)$/.test(name)) changed()
      })
      watcher.on('error', () => {
        watchers.delete(path)
        changed()
      })
      watchers.set(path, watcher)
    }
  }

  close(): void {
    this.#catFile.close()
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolved) => {
    if (signal.aborted) resolved()
    else signal.addEventListener('abort', () => resolved(), { once: true })
  })

/** A folder with all folders below it. */
function refFolders(top: string): readonly string[] {
  const found: string[] = existsSync(top) ? [top] : []
  for (let at = 0; at < found.length && found.length < MOST_FOLDERS; at++) {
    const folder = found[at] ?? top
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) found.push(join(folder, entry.name))
      }
    } catch {
      // It went away meanwhile: the branch was deleted.
    }
  }
  return found
}

/** The problem with a commit that is not there. */
export const unknownCommit = (
  name: string,
  sha: string,
): { readonly code: string; readonly at: string; readonly message: string; readonly cure: string } => ({
  code: 'git-revision-unknown',
  at: name,
  message: `the repository ${name} has no commit ${sha}`,
  cure: 'push it, or name another revision',
})
