import type { Fields, Operation } from './logical.ts'

/** A request as it reached the store, before anybody knows who asks. Writes are `update` until it is known what is there. */
export interface Call {
  readonly id: string
  readonly operation: Operation
  /** Without `v1/` and without a leading slash. */
  readonly path: string
  readonly fields: Fields
  /** What was sent as token; empty for none. */
  readonly token: string
  /** For how long the answer is to be wrapped; 0 is not at all. */
  readonly wrapSeconds: number
  readonly remoteAddress: string
}
