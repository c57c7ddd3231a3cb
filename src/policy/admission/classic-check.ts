import { isCleanup } from '../classic/cleanup.ts'
import { parseKindSelector } from '../classic/match/kind-selector.ts'
import { lintPolicy } from '../classic/lint/lint-policy.ts'
import { lintUpdate } from '../classic/lint/lint-update.ts'
import type { LintCluster } from '../engine/compiled-policy.ts'
import { matchesWildcard } from '../engine/wildcard.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import type { PolicyCheck } from './policy-admission.ts'

/** What can be said of a ClusterPolicy, Policy or cleanup policy only with its cluster and its former state at hand. */
export function classicCheck(served: () => Pick<ServedKinds, 'all'>): PolicyCheck {
  return async (policy, before) => {
    const isClassic = policy.kind === 'ClusterPolicy' || policy.kind === 'Policy'
    if (!isClassic && !isCleanup(policy.kind)) return { problems: [], warnings: [] }
    const problems = lintPolicy(policy, await clusterOf(served()))
    if (problems.length > 0 || !before || !isClassic) return { problems, warnings: [] }
    return lintUpdate(before, policy)
  }
}

async function clusterOf(served: Pick<ServedKinds, 'all'>): Promise<LintCluster> {
  const infos = await served.all(true)
  return {
    isNamespaced: (group, version, kind) =>
      infos.find(
        (info) =>
          info.subresource === undefined &&
          matchesWildcard(group, info.group) &&
          matchesWildcard(version, info.version) &&
          matchesWildcard(kind, info.kind),
      )?.namespaced,
    serves(text) {
      const { group, version, kind, subresource } = parseKindSelector(text)
      const found = infos.filter((info) => matchesWildcard(group, info.group) && matchesWildcard(version, info.version))
      const parents = new Set(
        found
          .filter((info) => info.subresource === undefined && matchesWildcard(kind, info.kind))
          .map((info) => info.plural),
      )
      if (subresource === '') return parents.size > 0
      return infos.some(
        (info) =>
          info.subresource !== undefined &&
          matchesWildcard(subresource, info.subresource) &&
          (kind === '*' || parents.has(info.plural.split('/')[0] ?? '')),
      )
    },
  }
}
