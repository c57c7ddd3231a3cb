import type { ServedResource } from './resource.ts'

/** Every served resource at one moment: an immutable value that is swapped whole when definitions change. */
export interface Registry {
  readonly resources: readonly ServedResource[]
  find(group: string, version: string, plural: string): ServedResource | undefined
  /** The served resource of a kind, such as the one an owner reference names. */
  findKind(group: string, version: string, kind: string): ServedResource | undefined
  /** A group's versions, the preferred first; undefined for a group nobody serves. */
  versionsOf(group: string): readonly string[] | undefined
  readonly groups: readonly string[]
  /** Changes whenever what is served changes: the ETag of discovery. */
  readonly generation: number
}

/** Orders versions as discovery prefers them: v2 before v1 before v1beta2 before v1alpha1 before others by name. */
export function compareVersions(a: string, b: string): number {
  const left = rankOf(a)
  const right = rankOf(b)
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor
}

interface VersionRank {
  readonly stability: number
  readonly major: number
  readonly minor: number
}

function rankOf(version: string): VersionRank | undefined {
  const found = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version)
  if (!found) return undefined
  const stability = found[2] === undefined ? 2 : found[2] === 'beta' ? 1 : 0
  return { stability, major: Number(found[1]), minor: Number(found[3] ?? 0) }
}

/** Builds the lookup tables of a set of resources; groups keep the order in which they first appear. */
export function makeRegistry(resources: readonly ServedResource[], generation: number): Registry {
  const byPath = new Map<string, ServedResource>()
  const byKind = new Map<string, ServedResource>()
  const versions = new Map<string, string[]>()
  for (const resource of resources) {
    byPath.set(`${resource.group}/${resource.version}/${resource.plural}`, resource)
    byKind.set(`${resource.group}/${resource.version}/${resource.kind}`, resource)
    const known = versions.get(resource.group) ?? []
    if (!known.includes(resource.version)) known.push(resource.version)
    versions.set(resource.group, known)
  }
  for (const list of versions.values()) list.sort(compareVersions)
  return {
    resources,
    find: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    findKind: (group, version, kind) => byKind.get(`${group}/${version}/${kind}`),
    versionsOf: (group) => versions.get(group),
    groups: [...versions.keys()],
    generation,
  }
}
