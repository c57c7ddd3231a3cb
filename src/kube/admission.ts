import type { JsonObject } from '../lib/json.ts'
import type { GroupVersionKind, ResourceId } from './gvk.ts'
import type { KubeObject } from './object.ts'
import type { Status } from './status.ts'

/** Who asks. */
export interface UserInfo {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** One write on its way into the store, as admission sees it. */
export interface AdmissionRequest {
  readonly uid: string
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly kind: GroupVersionKind
  readonly resource: ResourceId
  readonly subresource?: string
  readonly namespace?: string
  readonly name: string
  readonly user: UserInfo
  readonly dryRun: boolean
  readonly options: JsonObject
  /** The object as it would be stored; absent for DELETE. */
  readonly object?: KubeObject
  /** The object as it is; absent for CREATE. */
  readonly oldObject?: KubeObject
}

/** What a mutating plugin answers. An absent object means that nothing changed. */
export type Mutation =
  | { readonly allowed: true; readonly object?: KubeObject; readonly warnings?: readonly string[] }
  | { readonly allowed: false; readonly status: Status; readonly warnings?: readonly string[] }

/** What a validating plugin answers. */
export type Verdict =
  | {
      readonly allowed: true
      readonly warnings?: readonly string[]
      readonly auditAnnotations?: Readonly<Record<string, string>>
    }
  | { readonly allowed: false; readonly status: Status; readonly warnings?: readonly string[] }

/** One step of the admission chain. The chain is a visible list; every validating step runs, so that all denials are told at once. */
export interface AdmissionPlugin {
  readonly name: string
  /** A cheap test that spares the plugin requests that do not concern it. */
  handles(request: AdmissionRequest): boolean
  mutate?(request: AdmissionRequest, signal: AbortSignal): Promise<Mutation>
  validate?(request: AdmissionRequest, signal: AbortSignal): Promise<Verdict>
}
