import type { Result } from '../../lib/result.ts'
import type { Commit } from './commit.ts'
import type { ObjectLoader } from './git-objects.ts'
import type { Refs } from './refs.ts'

export interface RefsOptions {
  /** Asks the repository even where a recent answer is known. */
  readonly fresh?: boolean
  readonly signal?: AbortSignal
}

/** One repository, wherever it is: its refs now, and the commits that they lead to. */
export interface Repository {
  /** What messages call it. */
  readonly name: string
  readonly loader: ObjectLoader
  refs(options?: RefsOptions): Promise<Result<Refs>>
  /** Makes sure that a commit with its files can be read. */
  commit(sha: string, options: { readonly ref?: string; readonly signal?: AbortSignal }): Promise<Result<Commit>>
  /** The whole SHA of the only commit that begins so. */
  expand(prefix: string, options?: { readonly signal?: AbortSignal }): Promise<Result<string>>
  /** Keeps the refs current until the signal is aborted, and tells what moved. */
  follow(tell: (refs: readonly string[]) => void, signal: AbortSignal): Promise<void>
  close(): void
}
