import type { Ids } from '../../lib/ids.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Commit } from './commit.ts'
import type { ObjectLoader } from './git-objects.ts'
import { problemOf } from './git-problem.ts'
import { type GitProgram, runGit } from './git-process.ts'
import { type Mirror } from './mirror.ts'
import { movedRefs, parseRefs, type Refs } from './refs.ts'
import type { RefsOptions, Repository } from './repository.ts'
import type { Turns } from './turns.ts'

export interface RemoteOptions {
  /** What messages call it: the URL without who asks. */
  readonly name: string
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  readonly mirror: Mirror
  readonly program: GitProgram
  readonly turns: Turns
  readonly ids: Ids
  readonly log: Log
  /** How long an answer counts as recent, and how long to wait between two polls. */
  readonly pollMs: number
  /** Up to how much longer a poll may wait, so that not all repositories are asked at once. */
  readonly jitterMs: number
}

/** A repository elsewhere, as seen with one set of credentials: only what they may see is answered from the mirror. */
export class RemoteRepository implements Repository {
  readonly name: string
  readonly loader: ObjectLoader
  readonly #options: RemoteOptions
  #known: { readonly refs: Refs; readonly atMs: number } | undefined
  #asking: Promise<Result<Refs>> | undefined
  #tell: ((refs: readonly string[]) => void) | undefined
  #isFailing = false

  constructor(options: RemoteOptions) {
    this.#options = options
    this.name = options.name
    this.loader = options.mirror.loader
  }

  async refs({ fresh, signal }: RefsOptions = {}): Promise<Result<Refs>> {
    const { program, pollMs } = this.#options
    if (this.#known && !fresh && program.clock.now() - this.#known.atMs < pollMs) return succeed(this.#known.refs)
    signal?.throwIfAborted()
    // Whoever asks while an answer is on its way takes that one; it is not aborted by one of those who wait.
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #ask(): Promise<Result<Refs>> {
    const { program, url, env, turns, name } = this.#options
    const output = await turns.take(() => runGit(program, { args: ['ls-remote', '--quiet', '--', url], env }))
    if (output.code !== 0) {
      this.#isFailing = true
      return fail(problemOf(name, output, program.timeoutMs))
    }
    const refs = parseRefs(output.out.toString('utf8'))
    const before = this.#known
    this.#known = { refs, atMs: program.clock.now() }
    const moved = before ? movedRefs(before.refs, refs) : []
    if (moved.length > 0 || this.#isFailing) this.#tell?.(moved)
    this.#isFailing = false
    return succeed(refs)
  }

  async commit(
    sha: string,
    { ref, signal }: { readonly ref?: string; readonly signal?: AbortSignal },
  ): Promise<Result<Commit>> {
    // Whoever may not list the repository gets nothing of what others have fetched.
    const refs = await this.refs(signal ? { signal } : {})
    if (!refs.ok) return refs
    const known = await this.#options.mirror.find(sha)
    if (known) return succeed(known)
    const { mirror, turns } = this.#options
    const named = ref ?? [...refs.value].find(([, target]) => target === sha)?.[0]
    return turns.take(() => mirror.fetch(sha, named === 'HEAD' ? undefined : named, this.#from(signal)), signal)
  }

  async expand(prefix: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Result<string>> {
    const refs = await this.refs(signal ? { signal } : {})
    if (!refs.ok) return refs
    const tips = new Set([...refs.value.values()].filter((sha) => sha.startsWith(prefix)))
    const [tip] = tips
    if (tips.size === 1 && tip !== undefined) return succeed(tip)
    const { mirror, turns } = this.#options
    const fetched = (await mirror.find(prefix))
      ? succeed(undefined)
      : await turns.take(() => mirror.fetchAll(this.#from(signal)))
    if (!fetched.ok) return fetched
    const found = await mirror.find(prefix)
    return found
      ? succeed(found.sha)
      : fail({
          code: 'git-revision-unknown',
          at: this.name,
          message: `the repository ${this.name} has no commit that begins with ${prefix}, or several`,
          cure: 'write the whole SHA',
        })
  }

  #from(signal: AbortSignal | undefined): { url: string; env: Readonly<Record<string, string>>; signal?: AbortSignal } {
    const { url, env } = this.#options
    return { url, env, ...(signal ? { signal } : {}) }
  }

  async follow(tell: (refs: readonly string[]) => void, signal: AbortSignal): Promise<void> {
    const { program, pollMs, jitterMs, ids, log } = this.#options
    this.#tell = tell
    while (!signal.aborted) {
      const [high = 0, low = 0] = ids.bytes(2)
      const waitMs = pollMs + Math.floor((jitterMs * (high * 256 + low)) / 65_536)
      await program.clock.sleep(waitMs, { signal }).catch(() => {})
      if (signal.aborted) break
      try {
        const asked = await this.refs({ fresh: true })
        if (!asked.ok) log.warn('cannot poll a repository', { repository: this.name, because: asked.error[0]?.message })
      } catch (error) {
        log.warn('cannot poll a repository', { repository: this.name, because: describeError(error) })
      }
    }
    this.#tell = undefined
  }

  close(): void {
    // The mirror is shared with those who have other credentials.
  }
}
