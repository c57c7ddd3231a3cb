import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { CatFile } from './cat-file.ts'
import { type Commit, parseCommit } from './commit.ts'
import { type ObjectCache, ObjectLoader } from './git-objects.ts'
import { problemOf } from './git-problem.ts'
import { type GitOutput, type GitProgram, runGit, startGit } from './git-process.ts'
import { turns } from './turns.ts'

const MAX_OBJECT_BYTES = 16 * 1024 * 1024
/** Packs are put together after so many fetches. */
const FETCHES_PER_REPACK = 50
const BROKEN =
  /corrupt|bad object|not a git repository: |packfile .* (?:cannot be accessed|is far too short)|loose object/i

/** How one fetch reaches the repository. */
export interface FetchFrom {
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** What a repository elsewhere has given us so far, as a bare repository of ours. Commits come one by one, without history. */
export class Mirror {
  readonly loader: ObjectLoader
  readonly #folder: string
  readonly #name: string
  readonly #program: GitProgram
  readonly #catFile: CatFile
  /** Git locks a repository while it fetches. */
  readonly #turns = turns(1)
  #isReady = false
  #fetches = 0

  constructor(name: string, url: string, below: string, program: GitProgram, cache: ObjectCache) {
    this.#name = name
    this.#folder = join(below, createHash('sha256').update(url).digest('hex').slice(0, 32))
    this.#program = program
    this.#catFile = new CatFile({
      clock: program.clock,
      maxBytes: MAX_OBJECT_BYTES,
      start: () => startGit(program, { args: [this.#where, 'cat-file', '--batch'] }),
    })
    this.loader = new ObjectLoader(this.#catFile, cache)
  }

  get #where(): string {
    return `--git-dir=${this.#folder}`
  }

  /** A commit that was fetched before, by its SHA or the beginning of one. */
  async find(sha: string): Promise<Commit | undefined> {
    await this.#prepare()
    const answer = await this.#catFile.ask(`${sha}^{commit}`)
    return answer.is === 'object' ? parseCommit(answer.object.oid, answer.object.data) : undefined
  }

  /** Fetches a commit, alone when the server gives single commits, else with everything. */
  async fetch(sha: string, ref: string | undefined, from: FetchFrom): Promise<Result<Commit>> {
    return this.#turns.take(async () => {
      const known = await this.find(sha)
      if (known) return succeed(known)
      const specs = [`+${sha}:refs/idp/${sha}`, ...(ref === undefined ? [] : [`+${ref}:refs/idp/${sha}`])]
      let problem: Problem | undefined
      for (const spec of specs) {
        const output = await this.#fetch(['--depth=1', '--no-tags'], [spec], from)
        const fetched = output.code === 0 ? await this.find(sha) : undefined
        if (fetched) return succeed(fetched)
        if (output.code !== 0) problem = problemOf(this.#name, output, this.#program.timeoutMs)
        if (output.ended || problem?.code === 'git-access-denied') break
      }
      if (problem?.code === 'git-access-denied') return fail(problem)
      const all = await this.#fetchAll(from)
      if (!all.ok) return all
      const found = await this.find(sha)
      if (found) return succeed(found)
      return fail({
        code: 'git-revision-unknown',
        at: this.#name,
        message: `the repository ${this.#name} has no commit ${sha}`,
        cure: 'push it, or name another revision',
      })
    }, from.signal)
  }

  /** Fetches all branches and tags with their history, which the beginning of a SHA is looked up in. */
  fetchAll(from: FetchFrom): Promise<Result<undefined>> {
    return this.#turns.take(() => this.#fetchAll(from), from.signal)
  }

  async #fetchAll(from: FetchFrom): Promise<Result<undefined>> {
    await this.#prepare()
    const isShallow = existsSync(join(this.#folder, 'shallow'))
    const specs = ['+refs/heads/*:refs/all/heads/*', '+refs/tags/*:refs/all/tags/*']
    const output = await this.#fetch(isShallow ? ['--unshallow', '--no-tags'] : ['--no-tags'], specs, from)
    return output.code === 0 ? succeed(undefined) : fail(problemOf(this.#name, output, this.#program.timeoutMs))
  }

  async #fetch(flags: readonly string[], specs: readonly string[], from: FetchFrom): Promise<GitOutput> {
    await this.#prepare()
    const args = [this.#where, 'fetch', '--quiet', '--no-write-fetch-head', ...flags, '--', from.url, ...specs]
    const run = (): Promise<GitOutput> =>
      runGit(this.#program, { args, env: from.env, ...(from.signal ? { signal: from.signal } : {}) })
    let output = await run()
    if (output.code !== 0 && BROKEN.test(output.err)) {
      // The mirror is ours alone, and all of it can be had again.
      this.#wipe()
      await this.#prepare()
      output = await run()
    }
    if (output.ended) this.#removeLocks()
    this.#fetches += 1
    if (output.code === 0 && this.#fetches % FETCHES_PER_REPACK === 0) {
      await runGit(this.#program, { args: [this.#where, 'repack', '-a', '-d', '-q'] })
    }
    return output
  }

  #wipe(): void {
    this.#catFile.close()
    rmSync(this.#folder, { recursive: true, force: true })
    this.#isReady = false
  }

  /** Locks that a killed git left behind; nobody else works in this folder. */
  #removeLocks(): void {
    for (const name of existsSync(this.#folder) ? readdirSync(this.#folder) : []) {
      if (name.endsWith('.lock')) rmSync(join(this.#folder, name), { force: true })
    }
  }

  async #prepare(): Promise<void> {
    if (this.#isReady) return
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    this.#removeLocks()
    if (!existsSync(join(this.#folder, 'HEAD'))) {
      const output = await runGit(this.#program, { args: ['init', '--bare', '--quiet', '--template=', this.#folder] })
      if (output.code !== 0) throw new Error(`cannot make a folder for ${this.#name}: ${output.err.trim()}`)
    }
    this.#isReady = true
  }

  close(): void {
    this.#catFile.close()
  }
}
