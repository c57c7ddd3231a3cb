/** Group, version and kind; empty parts are unknown. */
export interface Gvk {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** What tells one resource of a build from the others. */
export interface ResourceId extends Gvk {
  readonly name: string
  readonly namespace: string
  /** The namespace that counts: `default` for none, and a word that is no namespace for what has none at all. */
  readonly effective: string
}

/** Stands for the namespace of what is in no namespace. */
export const CLUSTER = '_non_namespaceable_'

/** Splits an apiVersion. */
export function groupVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** Joins group and version again. */
export const apiVersionOf = ({ group, version }: Gvk): string => (group === '' ? version : `${group}/${version}`)

/** An id; `isCluster` says that the kind is surely in no namespace. */
export function resourceId(gvk: Gvk, name: string, namespace: string, isCluster: boolean = false): ResourceId {
  const effective = isCluster ? CLUSTER : namespace === '' ? 'default' : namespace
  return { group: gvk.group, version: gvk.version, kind: gvk.kind, name, namespace, effective }
}

/** Tells whether every part that the selector names is the same. */
export function isSelected(gvk: Gvk, selector: Partial<Gvk>): boolean {
  return (
    (!selector.group || selector.group === gvk.group) &&
    (!selector.version || selector.version === gvk.version) &&
    (!selector.kind || selector.kind === gvk.kind)
  )
}

export const sameGvk = (a: Gvk, b: Gvk): boolean => a.kind === b.kind && a.group === b.group && a.version === b.version

/** Equal names and kinds in namespaces that count as the same. */
export const sameId = (a: ResourceId, b: ResourceId): boolean =>
  a.name === b.name && sameGvk(a, b) && a.effective === b.effective

/** A text that is equal for equal ids, for indexes. */
export const idKey = (id: ResourceId): string => `${id.kind}\0${id.name}\0${id.effective}\0${id.group}\0${id.version}`

/** Kind, version and group as messages show them. */
export const gvkText = ({ group, version, kind }: Gvk): string =>
  `${kind || '[noKind]'}.${version || '[noVer]'}.${group || '[noGrp]'}`

/** An id as messages show it. */
export const idText = (id: Omit<ResourceId, 'effective'>): string =>
  `${gvkText(id)}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`
