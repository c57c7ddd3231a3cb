import type { View } from './barrier.ts'
import type { Token } from './token/token.ts'

/** What a request wants to do, in Vault's words. */
export type Operation = 'read' | 'list' | 'create' | 'update' | 'patch' | 'delete' | 'help'

/** The fields of a request: its JSON body, or the query of one that has none. Names that nobody reads are ignored. */
export type Fields = ReadonlyMap<string, unknown>

/** A request as a mount gets it. */
export interface MountRequest {
  readonly operation: Operation
  /** Below the mount, without a leading slash. */
  readonly path: string
  readonly fields: Fields
  /** What the path of the mount is stored under, encrypted. */
  readonly view: View
  readonly mount: MountInfo
  /** Who asks; absent on paths that anybody may use. */
  readonly token?: Token
  /** The token as it was sent, to be shown to who has sent it and to nobody else. */
  readonly clientToken: string
  readonly remoteAddress: string
  /** Tells that the answer is to be wrapped, which some mounts do by themselves. */
  readonly wrapSeconds?: number
}

/** What a mount knows of itself. */
export interface MountInfo {
  /** With a slash at its end, such as `secret/` or `auth/kubernetes/`. */
  readonly path: string
  readonly type: string
  readonly accessor: string
  readonly defaultTtlSeconds: number
  readonly maxTtlSeconds: number
}

/** Who was logged in, for a token to be made. */
export interface Login {
  readonly policies: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  readonly displayName: string
  /** The name that the entity of the mount goes by. */
  readonly alias: { readonly name: string; readonly metadata: Readonly<Record<string, string>> }
  readonly limits: TokenLimits
}

/** How long a token lives and what it may be used for; 0 and absent say nothing. */
export interface TokenLimits {
  readonly ttlSeconds?: number
  readonly maxTtlSeconds?: number
  readonly explicitMaxTtlSeconds?: number
  readonly periodSeconds?: number
  readonly uses?: number
  readonly boundCidrs?: readonly string[]
  readonly withoutDefaultPolicy?: boolean
}

/** What the token of an answer is, as `auth` in the body says it. */
export interface AnswerAuth {
  readonly clientToken: string
  readonly token: Token
  readonly leaseSeconds: number
  readonly renewable: boolean
  /** Policies as listed: those of the token itself first. */
  readonly policies: readonly string[]
}

/** Where the real answer waits, when it was wrapped. */
export interface WrapInfo {
  readonly token: string
  readonly accessor: string
  readonly ttl: number
  readonly creation_time: string
  readonly creation_path: string
  readonly wrapped_accessor?: string
}

/** What a request is answered with. Without data, auth and warnings it is an empty 204. */
export interface Reply {
  readonly status?: number
  readonly data?: Readonly<Record<string, unknown>>
  readonly auth?: AnswerAuth
  readonly warnings?: readonly string[]
  readonly leaseSeconds?: number
  readonly wrap?: WrapInfo
  /** The whole body, where a path does not answer in the usual form. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Fields that stand in the body beside `data`, as `sys/` paths do. */
  readonly alsoTopLevel?: boolean
  /** A login that succeeded: the core makes its token and answers with it. */
  readonly login?: Login
  /** Wrap the answer for so long, whether or not somebody asked. */
  readonly wrapSeconds?: number
  /** The body of an answer that was wrapped before, as it was. */
  readonly rawJson?: string
}

/** Why a request was refused: its status and the texts under `errors`. There are no values of secrets in them. */
export interface Refusal {
  readonly status: number
  readonly errors: readonly string[]
}

/** `undefined` answers a read with 404 and everything else with 204. */
export type Outcome =
  | { readonly ok: true; readonly value: Reply | undefined }
  | { readonly ok: false; readonly error: Refusal }

/** Everything behind one path. */
export interface Backend {
  handle(request: MountRequest): Outcome | Promise<Outcome>
  /** Whether what is written is there already; a mount that does not tell takes every write as an update. */
  exists?(request: MountRequest): boolean
  /** Paths below the mount that anybody may use; `*` at the end stands for everything that begins so. */
  readonly open?: readonly string[]
  /** Paths that need `sudo`. */
  readonly sudo?: readonly string[]
}

export const reply = (value: Reply | undefined): Outcome => ({ ok: true, value })
export const nothing: Outcome = reply(undefined)
export const dataReply = (data: Readonly<Record<string, unknown>>, warnings?: readonly string[]): Outcome =>
  reply({ data, ...(warnings && warnings.length > 0 ? { warnings } : {}) })
export const refused = (status: number, ...errors: readonly string[]): { ok: false; error: Refusal } => ({
  ok: false,
  error: { status, errors },
})
export const badRequest = (...errors: readonly string[]): { ok: false; error: Refusal } => refused(400, ...errors)
export const permissionDenied = (): { ok: false; error: Refusal } => refused(403, 'permission denied')
export const unsupportedPath = (): { ok: false; error: Refusal } => refused(404, 'unsupported path')
export const unsupportedOperation = (): { ok: false; error: Refusal } => refused(405, 'unsupported operation')

/** The names of a list, which is 404 when there are none. */
export const listReply = (keys: readonly string[], more: Readonly<Record<string, unknown>> = {}): Outcome =>
  keys.length === 0 ? nothing : dataReply({ keys, ...more })
