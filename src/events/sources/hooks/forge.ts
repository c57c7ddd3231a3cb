import type { Json } from '../../../lib/json.ts'
import type { Result } from '../../../lib/result.ts'

type Fields = Readonly<Record<string, unknown>>

/** Something whose hooks can be managed: a repository, a project, an organization. */
export interface HookTarget {
  /** As messages name it. */
  readonly name: string
  /** Where its hooks are listed and made. */
  readonly url: string
}

/** A hook that is there already. */
export interface KnownHook {
  readonly id: string
  readonly url: string
  /** Whether it looks as it is wanted, as far as the forge shows that; secrets it does not show. */
  readonly isAsWanted: boolean
}

/** One question to a forge. */
export interface ForgeRequest {
  readonly method: string
  readonly url: string
  readonly body?: Json
  /** Instead of those of the forge. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks a forge, with the account of the source; fails with what the forge says. */
export type AskForge = (request: ForgeRequest) => Promise<Result<unknown>>

/** The API of one kind of forge, as far as hooks go. Pure but for what it asks. */
export interface Forge {
  readonly headers: Readonly<Record<string, string>>
  targets(ask: AskForge): Promise<Result<readonly HookTarget[]>>
  /** Where a page of a target's hooks lies, counted from 0. */
  pageUrl(target: HookTarget, page: number): string
  /** The hooks of a page, and whether there are more. */
  readPage(page: unknown): { readonly hooks: readonly Fields[]; readonly isLast: boolean }
  readHook(hook: Fields): KnownHook
  /** What a hook is to look like. */
  readonly wanted: Json
  readonly updateMethod: 'PATCH' | 'PUT'
}

/** What a forge is made from. */
export interface ForgeGiven {
  readonly spec: Fields
  /** Where the forge is to send. */
  readonly hookUrl: string
  readonly secret: (selector: unknown) => Result<string | undefined>
  readonly nowMs: number
}
