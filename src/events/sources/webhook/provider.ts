import type { Result } from '../../../lib/result.ts'
import type { Delivery } from './delivery.ts'

/** One event that a delivery makes. */
export interface ReceivedEvent {
  readonly data: string
  /** What the sender calls this delivery, each time it sends it; it makes the id of the event. */
  readonly delivery?: string
}

/** What is answered to a delivery. */
export interface WebhookAnswer {
  readonly status: number
  readonly body: string
}

/** What a delivery comes to: events to publish before it is answered, or an answer at once. */
export type Received =
  | { readonly do: 'publish'; readonly events: readonly ReceivedEvent[] }
  | {
      readonly do: 'answer'
      readonly answer: WebhookAnswer
      /** Why it was refused; absent where it was not. */ readonly refused?: string
    }

/** What a provider knows of its source besides the delivery. */
export interface ProviderContext {
  readonly spec: Readonly<Record<string, unknown>>
  /** The value that a field of the spec selects from a Secret; undefined where the field is not there. */
  readonly secret: (field: string) => Result<string | undefined>
  readonly nowMs: number
  /** Asks the forge whether a commit belongs to an open pull request (Bitbucket Server). */
  readonly hasOpenPullRequest?: (project: string, repository: string, commit: string) => Promise<Result<boolean>>
}

/** How deliveries of a kind are checked and read. */
export type Provider = (delivery: Delivery, context: ProviderContext) => Received | Promise<Received>

/** Answers that somebody is not who they should be, or has sent what cannot be read. */
export const refuseDelivery = (status: number, body: string, refused: string): Received => ({
  do: 'answer',
  answer: { status, body },
  refused,
})

/** Answers that the secret of a source is not there: nobody can be let in. */
export const withoutSecret = (what: string): Received => refuseDelivery(500, `Error loading ${what}`, 'secret-missing')
