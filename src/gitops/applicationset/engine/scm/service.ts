import type { Outcome } from '../need.ts'

/** A branch of a repository, as the SCM provider generator makes parameters of it. */
export interface Repository {
  readonly organization: string
  readonly repository: string
  readonly url: string
  readonly branch: string
  readonly sha: string
  readonly labels: readonly string[]
  readonly id: unknown
}

/** What the SCM provider generator asks of a service. */
export interface ScmService {
  /** Every repository of the organisation, with its default branch. */
  repositories(cloneProtocol: string): Outcome<readonly Repository[]>
  /** The branches that are wanted of a repository. */
  branches(repository: Repository): Outcome<readonly Repository[]>
  hasPath(repository: Repository, path: string): Outcome<boolean>
}

/** A request to merge. */
export interface PullRequest {
  readonly number: number
  readonly title: string
  readonly branch: string
  readonly targetBranch: string
  readonly headSha: string
  readonly labels: readonly string[]
  readonly author: string
}

/** Requests to merge, or the news that there is no such repository. */
export type PullRequests = { readonly found: true; readonly pulls: readonly PullRequest[] } | { readonly found: false }
