import type { Duplex, Readable, Writable } from 'node:stream'
import type { UserInfo } from '../kube/admission.ts'
import type { Patch } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Status } from '../kube/status.ts'

/** What a request does to a resource, as authorization and audit name it. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection' | 'connect'

/** The options of every verb, already parsed; each verb reads the ones that concern it. */
export interface RequestOptions {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
  readonly dryRun?: boolean
  readonly fieldManager?: string
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  readonly force?: boolean
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  readonly orphanDependents?: boolean
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  /** For a connect verb: the query as it came, such as the command of exec. */
  readonly query?: ReadonlyMap<string, readonly string[]>
}

/** One request for a resource, from either transport, before the resource is looked up. */
export interface ApiRequest {
  readonly verb: Verb
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  readonly user: UserInfo
  readonly options: RequestOptions
  /** The body as parsed JSON; shared with the caller and never changed. */
  readonly body?: unknown
  /** Problems the parser of the body met, such as duplicate keys: unknown fields of a kind. */
  readonly bodyProblems?: readonly string[]
  readonly patch?: Patch
  /** The name by which changes are tracked when the options give none. */
  readonly userAgent?: string
  readonly signal?: AbortSignal
  readonly sender?: Sender
  /** Set where a long list is sent on as it is read, and need not be held as a whole. */
  readonly inPages?: boolean
}

/** What only the audit log wants to know about where a request came from. */
export interface Sender {
  readonly address?: string
  /** Who the sender really is, when they act as somebody else. */
  readonly impersonatedBy?: UserInfo
}

/** A list as the verbs answer it; both transports turn it into their own form. */
export interface ObjectList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly resourceVersion: string
    readonly continue?: string
    readonly remainingItemCount?: number
  }
  readonly items: readonly KubeObject[]
}

/** One change on its way to a watcher. The object is shared by all watchers, so that it is serialised once. */
export type StreamEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly object: KubeObject }
  | { readonly type: 'ERROR'; readonly object: Status }

/** Where a watch delivers to. */
export interface WatchSink {
  /** Called in revision order; must not wait. */
  events(events: readonly StreamEvent[]): void
  /** Called once, when the watch is over on the server's side. */
  end(): void
}

/** An accepted watch; nothing is delivered before it is started. */
export interface AcceptedWatch {
  /** Starts delivery and returns the function that ends it. */
  start(sink: WatchSink): () => void
}

/** What a request comes to. Warnings reach the client beside the answer. */
export type ApiResponse = { readonly warnings?: readonly string[] } & (
  | { readonly answer: 'object'; readonly code: 200 | 201; readonly object: KubeObject }
  /** The rest of a list that is read in pages comes after its items; a page that can no longer be read is thrown. */
  | { readonly answer: 'list'; readonly list: ObjectList; readonly rest?: Iterable<readonly KubeObject[]> }
  | { readonly answer: 'watch'; readonly watch: AcceptedWatch }
  | { readonly answer: 'status'; readonly status: Status }
  | { readonly answer: 'connection'; readonly open: Connection }
)

/** A stream to something that runs; how it is carried is the transport's concern. */
export interface Connection {
  readonly kind: 'log' | 'exec' | 'attach' | 'portforward'
  /** Log text as it appears. */
  readonly text?: (signal: AbortSignal) => AsyncIterable<string | Uint8Array>
  /** Runs a command, or joins what runs, for exec and attach. Resolves when it has ended; never rejects. */
  readonly run?: (streams: SessionStreams) => Promise<SessionEnd>
  /** Connects to a port; rejects with what went wrong. */
  readonly dial?: (port: number) => Promise<Duplex>
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** What a client brings to a command. */
export interface SessionStreams {
  readonly stdin?: Readable
  readonly stdout?: Writable
  readonly stderr?: Writable
  readonly tty: boolean
  readonly signal: AbortSignal
  readonly onResize?: (tell: (size: TerminalSize) => void) => void
}

/** How a command ended, or why it could not begin. */
export type SessionEnd =
  | { readonly exitCode: number; readonly failure?: undefined }
  | { readonly failure: string; readonly exitCode?: undefined }

/** Wraps a refusal as an answer. */
export function refused(status: Status, warnings?: readonly string[]): ApiResponse {
  return { answer: 'status', status, ...(warnings && warnings.length > 0 ? { warnings } : {}) }
}
