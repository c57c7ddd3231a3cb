import type { Json } from '../lib/json.ts'
import type { ResourceId } from './gvk.ts'
import type { KubeList, KubeObject } from './object.ts'
import type { ApiResult, Status } from './status.ts'

/** A collection, in one namespace or in all. */
export interface Collection {
  readonly resource: ResourceId
  readonly namespace?: string
}

/** One object, or one subresource of it. */
export interface Target extends Collection {
  readonly name: string
  readonly subresource?: string
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface ReadOptions extends CallOptions {
  readonly resourceVersion?: string
}

export interface ListOptions extends ReadOptions {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface WatchOptions extends CallOptions {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'NotOlderThan'
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
}

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean
  readonly fieldManager?: string
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
}

export interface PatchOptions extends WriteOptions {
  /** Only with an apply patch: take fields over from other managers. */
  readonly force?: boolean
}

export interface DeleteOptions extends CallOptions {
  readonly dryRun?: boolean
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

/** The four ways to change an object by parts. */
export type Patch =
  | { readonly type: 'json'; readonly body: readonly Json[] }
  | { readonly type: 'merge'; readonly body: Json }
  | { readonly type: 'strategic'; readonly body: Json }
  | { readonly type: 'apply'; readonly body: unknown }

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: Status }

/** What discovery says about one resource. */
export interface ResourceInfo extends ResourceId {
  readonly kind: string
  readonly singular: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  /** Set for a subresource such as `status` or `scale`. */
  readonly subresource?: string
}

/**
 * The way to a cluster. Refusals are values; a lost connection is thrown. Objects that come back are shared and immutable.
 * Two implementations keep one contract: in process (the API server's own handler) and over HTTP.
 */
export interface Client {
  get(target: Target, options?: ReadOptions): Promise<ApiResult<KubeObject>>
  list(collection: Collection, options?: ListOptions): Promise<ApiResult<KubeList>>
  /** Ends when the signal is aborted or the server closes; an ERROR event is the last one. */
  watch(collection: Collection, options?: WatchOptions): AsyncIterable<WatchEvent>
  create(
    collection: Collection & { readonly name?: string; readonly subresource?: string },
    object: unknown,
    options?: WriteOptions,
  ): Promise<ApiResult<KubeObject>>
  update(target: Target, object: unknown, options?: WriteOptions): Promise<ApiResult<KubeObject>>
  patch(target: Target, patch: Patch, options?: PatchOptions): Promise<ApiResult<KubeObject>>
  /** Answers the object as it is now: gone, or waiting for its finalizers; some servers answer a Status instead. */
  delete(target: Target, options?: DeleteOptions): Promise<ApiResult<KubeObject | Status>>
  deleteCollection(collection: Collection, options?: DeleteOptions & ListOptions): Promise<ApiResult<KubeList | Status>>
  discover(options?: CallOptions): Promise<ApiResult<readonly ResourceInfo[]>>
  /** The version of the server, such as `v1.34.0`; left out by a client that cannot tell. */
  version?(options?: CallOptions): Promise<ApiResult<string>>
}
