import type { Result } from '../../../lib/result.ts'

/** Why something could not be had. The message never holds a value of a secret. */
export interface Trouble {
  /** `missing`: the store answered that there is no such secret. Everything else failed. */
  readonly why: 'missing' | 'failed'
  readonly message: string
}

/** What a store or a step of the way from it answers. */
export type Fetched<T> = Result<T, Trouble>

/** A failure with its reason. */
export const failed = (message: string): { readonly ok: false; readonly error: Trouble } => ({
  ok: false,
  error: { why: 'failed', message },
})

/** The answer that there is no such secret. */
export const missing = (message: string = 'Secret does not exist'): { readonly ok: false; readonly error: Trouble } => ({
  ok: false,
  error: { why: 'missing', message },
})

/** The same trouble, told with what was being done. */
export const within = (doing: string, { why, message }: Trouble): { readonly ok: false; readonly error: Trouble } => ({
  ok: false,
  error: { why, message: `${doing}: ${message}` },
})
