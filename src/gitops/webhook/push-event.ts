/** What a push changed, as its sender tells. Only a reason to look: what is true is read from the repository. */
export interface PushEvent {
  readonly from: Forge
  /** The URLs under which the sender knows the repository. */
  readonly repositoryUrls: readonly string[]
  /** The branch or tag that moved, by its short name; undefined when the sender does not say. */
  readonly revision: string | undefined
  /** Whether it was the default branch, as far as is known: without knowing, true. */
  readonly touchedHead: boolean
  readonly before: string | undefined
  readonly after: string | undefined
  /** Every file that the commits name; empty when the sender does not tell. */
  readonly changedFiles: readonly string[]
}

/** A pull or merge request that was opened, changed or closed. */
export interface PullRequestEvent {
  readonly from: Forge
  readonly owner: string
  readonly repository: string
  readonly repositoryUrls: readonly string[]
}

export type Forge = 'github' | 'gitlab' | 'gogs' | 'bitbucket' | 'bitbucket-server'

/** What a webhook said: something changed, or nothing of interest. */
export type WebhookEvent =
  | { readonly is: 'push'; readonly push: PushEvent }
  | { readonly is: 'pull-request'; readonly pullRequest: PullRequestEvent }
  | { readonly is: 'nothing' }
