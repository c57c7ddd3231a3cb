import { createHash } from 'node:crypto'
import type { Problem, Result } from '../../lib/result.ts'
import type { GitTree, Look } from '../../sources/git/git-tree.ts'
import type { Rendered } from './rendered.ts'

interface Entry {
  /** What the rendering looked at: the same objects again mean the same manifests. */
  readonly looks: readonly Look[]
  /** What of the destination cluster it may depend on, by a digest; undefined where nothing of it can show. */
  readonly cluster: string | undefined
  readonly result: Result<Rendered>
}

/** How many renderings are kept for one question: a branch that goes back and forth finds both. */
const ENTRIES = 3
const MOST_QUESTIONS = 5_000

/** Keeps renderings by what they were asked for, each with what it looked at. */
export class RenderCache {
  readonly #entries = new Map<string, readonly Entry[]>()

  has(question: string): boolean {
    return this.#entries.has(question)
  }

  /** A rendering that looked at nothing that is different in this tree. */
  find(question: string, cluster: string, tree: GitTree): Result<Rendered> | undefined {
    const entries = this.#entries.get(question)
    const found = entries?.find(
      (entry) =>
        (entry.cluster === undefined || entry.cluster === cluster) && entry.looks.every((look) => tree.leadsTo(look)),
    )
    if (entries && found) {
      this.#entries.delete(question)
      this.#entries.set(question, entries)
    }
    return found?.result
  }

  /** A rendering that depends on nothing but its question. */
  findFixed(question: string, cluster: string): Result<Rendered> | undefined {
    return this.#entries.get(question)?.find((entry) => entry.looks.length === 0 && entry.cluster === cluster)?.result
  }

  set(question: string, { looks, cluster, result }: Entry): void {
    const before = this.#entries.get(question) ?? []
    this.#entries.delete(question)
    this.#entries.set(question, [{ looks, cluster, result }, ...before].slice(0, ENTRIES))
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MOST_QUESTIONS) break
      this.#entries.delete(oldest)
    }
  }
}

/** A short name for everything that a rendering depends on besides files. */
export const questionOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')

/** A problem that holds until something changes that was looked at, not one of the network. */
export const isLasting = (problems: readonly Problem[]): boolean =>
  !problems.some(({ code }) => /^(?:git|chart)-.*(?:unreachable|denied|not-found)$/.test(code))
