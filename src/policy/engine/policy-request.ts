import type { Json, JsonObject } from '../../lib/json.ts'
import type { UserInfo } from '../../kube/admission.ts'
import type { GroupVersionKind, ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** Who asks, with the roles that were found bound to them: `namespace:name` for a Role, the name alone for a ClusterRole. */
export interface PolicyUser extends UserInfo {
  readonly roles: readonly string[]
  readonly clusterRoles: readonly string[]
}

/** Nobody in particular: who a background scan or an offline run is. */
export const nobody: PolicyUser = { username: '', groups: [], roles: [], clusterRoles: [] }

/** One object, or the change of one, that policies are asked about. Whatever runs policies makes one of these. */
export interface PolicyRequest {
  /** Where the question comes from: a background scan has no user and skips rules that need one. */
  readonly source: 'admission' | 'background' | 'offline'
  readonly operation: Operation
  readonly kind: GroupVersionKind
  /** The collection, where it is known. */
  readonly resource?: ResourceId
  readonly subresource?: string
  readonly namespace?: string
  readonly name: string
  /** The object as it would be; absent for DELETE. */
  readonly object?: KubeObject
  /** The object as it is; absent for CREATE. */
  readonly oldObject?: KubeObject
  readonly user: PolicyUser
  /** The labels of the namespace that the object is in; undefined when they are not known. */
  readonly namespaceLabels?: Readonly<Record<string, string>>
  /** The namespace itself, for languages that show it; its labels win over `namespaceLabels`. */
  readonly namespaceObject?: KubeObject
  readonly uid?: string
  readonly dryRun?: boolean
  readonly options?: JsonObject
  /** A document that is no Kubernetes object, for policies that judge such documents; then there is no object. */
  readonly payload?: Json
  /** What the document is: any JSON when not said, or a request that a proxy asks about. */
  readonly payloadKind?: 'json' | 'envoy' | 'http'
  /** Further values that expressions see, by dotted name such as `request.userInfo.username`: an offline run's. */
  readonly values?: JsonObject
}

/** The object that a request is about: the new one, or for a deletion the old one. */
export function subjectOf(request: PolicyRequest): KubeObject | undefined {
  return request.object ?? request.oldObject
}

/** The labels that namespace selectors are held against. */
export function namespaceLabelsOf(request: PolicyRequest): Readonly<Record<string, string>> | undefined {
  return request.namespaceObject ? (request.namespaceObject.metadata.labels ?? {}) : request.namespaceLabels
}
