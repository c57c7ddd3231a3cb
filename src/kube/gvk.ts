/** The identity of a kind. The core group is the empty string. */
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** The identity of a collection: what a URL path names. */
export interface ResourceId {
  readonly group: string
  readonly version: string
  readonly plural: string
}

/** A kind as a value: its identity, where it lives, and how an untyped object becomes one. */
export interface Kind<T = unknown> extends GroupVersionKind, ResourceId {
  readonly scope: 'Namespaced' | 'Cluster'
  readonly parse?: (object: unknown) => T
}

/** `v1` or `apps/v1`. */
export function apiVersionOf(id: { readonly group: string; readonly version: string }): string {
  return id.group === '' ? id.version : `${id.group}/${id.version}`
}

/** Splits an apiVersion; everything before the first slash is the group. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** The identity an object claims. */
export function gvkOf(object: { readonly apiVersion: string; readonly kind: string }): GroupVersionKind {
  return { ...parseApiVersion(object.apiVersion), kind: object.kind }
}

/** `Deployment.apps`, or `Pod` for the core group: how messages name a kind. */
export function groupKindText(id: { readonly group: string; readonly kind: string }): string {
  return id.group === '' ? id.kind : `${id.kind}.${id.group}`
}
