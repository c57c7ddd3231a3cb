import { compileGlob } from '../../lib/glob.ts'

/** Some kinds on some clusters; an empty list is all of them. */
export interface FilteredResource {
  readonly apiGroups: readonly string[]
  readonly kinds: readonly string[]
  readonly clusters: readonly string[]
}

/** Which kinds are looked at, per cluster. */
export interface ResourceFilter {
  isExcluded(group: string, kind: string, server: string): boolean
}

/** What changes all the time and is nobody's manifest. */
const ALWAYS_EXCLUDED: readonly FilteredResource[] = [
  { apiGroups: ['events.k8s.io', 'metrics.k8s.io'], kinds: [], clusters: [] },
  { apiGroups: [''], kinds: ['Event'], clusters: [] },
  { apiGroups: ['coordination.k8s.io'], kinds: ['Lease'], clusters: [] },
]

type Matcher = (text: string) => boolean

const anyOf = (globs: readonly string[]): Matcher => {
  if (globs.length === 0) return () => true
  const matchers = globs.flatMap((glob) => {
    const compiled = compileGlob(glob, 'gobwas')
    return compiled.ok ? [compiled.value] : []
  })
  return (text) => matchers.some((matches) => matches(text))
}

interface Rule {
  readonly isGroup: Matcher
  readonly isKind: Matcher
  readonly isCluster: Matcher
}

const ruleOf = ({ apiGroups, kinds, clusters }: FilteredResource): Rule => ({
  isGroup: anyOf(apiGroups),
  // Kinds are no globs, but for the one that is all of them.
  isKind: (kind) => kinds.length === 0 || kinds.includes('*') || kinds.includes(kind),
  isCluster: anyOf(clusters),
})

/** What is excluded is out; where a cluster has inclusions, what they do not name is out too. */
export function resourceFilter(
  exclusions: readonly FilteredResource[],
  inclusions: readonly FilteredResource[],
): ResourceFilter {
  const out = [...ALWAYS_EXCLUDED, ...exclusions].map(ruleOf)
  const inside = inclusions.map(ruleOf)
  const meets = (rules: readonly Rule[], group: string, kind: string, server: string): boolean =>
    rules.some(({ isGroup, isKind, isCluster }) => isKind(kind) && isGroup(group) && isCluster(server))
  return {
    isExcluded(group, kind, server) {
      if (meets(out, group, kind, server)) return true
      if (meets(inside, group, kind, server)) return false
      return inside.some(({ isCluster }) => isCluster(server))
    },
  }
}
