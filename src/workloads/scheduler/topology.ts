import { own } from '../../lib/json.ts'
import { matchesLabels } from '../../kube/selector.ts'
import type { Demand, PodTerm, SpreadConstraint } from './demand.ts'
import { isSuitable, type Obstacle, untolerated } from './filters.ts'
import type { NodeState } from './node.ts'

/** The nodes of a cluster at one moment, with the labels of its namespaces. */
export interface Snapshot {
  readonly nodes: readonly NodeState[]
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined
}

/** Judges nodes by the Pods around them; what is the same for all nodes is counted once per Pod. */
export interface TopologyJudge {
  obstacle(node: NodeState): Obstacle | undefined
  /** Larger is better; only comparable between nodes of one judge. */
  preference(node: NodeState): number
}

/** Tells whether a term of one Pod means another. */
export function termSelects(term: PodTerm, other: Demand, snapshot: Snapshot): boolean {
  if (!term.selector || !matchesLabels(term.selector, other.labels)) return false
  if (term.namespaces?.has(other.namespace)) return true
  return (
    term.namespaceSelector !== undefined &&
    matchesLabels(term.namespaceSelector, snapshot.namespaceLabels(other.namespace))
  )
}

/** Prepares the judgement of every node for one Pod. */
export function topologyJudge(demand: Demand, snapshot: Snapshot): TopologyJudge {
  const affinity = affinityJudge(demand, snapshot)
  const spreads = demand.spread.map((constraint) => spreadJudge(constraint, demand, snapshot))
  return {
    obstacle(node) {
      for (const spread of spreads) {
        const obstacle = spread.obstacle(node)
        if (obstacle) return obstacle
      }
      return affinity.obstacle(node)
    },
    preference(node) {
      const crowd =
        spreads.length === 0 ? siblingsOn(node, demand) : spreads.reduce((sum, spread) => sum + spread.crowd(node), 0)
      return affinity.preference(node) - crowd
    },
  }
}

/** Pods of one controller do not gather on one node without need. */
function siblingsOn(node: NodeState, { controller, namespace }: Demand): number {
  if (controller === undefined) return 0
  let count = 0
  for (const other of node.pods.values()) if (other.controller === controller && other.namespace === namespace) count++
  return count
}

interface SpreadJudge {
  obstacle(node: NodeState): Obstacle | undefined
  crowd(node: NodeState): number
}

function spreadJudge(constraint: SpreadConstraint, demand: Demand, { nodes }: Snapshot): SpreadJudge {
  const { topologyKey, selector, isHard, maxSkew, minDomains } = constraint
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const domain = own(node.labels, topologyKey)
    if (domain === undefined || !countsFor(constraint, demand, node)) continue
    let count = counts.get(domain) ?? 0
    for (const other of node.pods.values()) {
      if (
        other.namespace === demand.namespace &&
        matchesLabels(selector, other.labels) &&
        other.pod.metadata.deletionTimestamp === undefined
      )
        count++
    }
    counts.set(domain, count)
  }
  const least = counts.size < minDomains ? 0 : Math.min(...counts.values())
  const self = matchesLabels(selector, demand.labels) ? 1 : 0
  return {
    obstacle(node) {
      if (!isHard) return undefined
      const domain = own(node.labels, topologyKey)
      if (domain === undefined)
        return {
          because: "node(s) didn't match pod topology spread constraints (missing required label)",
          isMendedByPreemption: false,
        }
      const skew = (counts.get(domain) ?? 0) + self - least
      return skew <= maxSkew
        ? undefined
        : { because: "node(s) didn't match pod topology spread constraints", isMendedByPreemption: true }
    },
    crowd: (node) => (isHard ? 0 : (counts.get(own(node.labels, topologyKey) ?? '') ?? 0)),
  }
}

/** Nodes on which the Pod could not run anyway do not count as domains, unless told otherwise. */
function countsFor({ honoursAffinity, honoursTaints }: SpreadConstraint, demand: Demand, node: NodeState): boolean {
  if (honoursAffinity && !isSuitable(demand, node)) return false
  return !honoursTaints || untolerated(demand.tolerations, node.taints, ['NoSchedule', 'NoExecute']) === undefined
}

/** Counts, per term, how many Pods it means in each domain. */
function countByDomain(term: PodTerm, snapshot: Snapshot): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const node of snapshot.nodes) {
    const domain = own(node.labels, term.topologyKey)
    if (domain === undefined) continue
    for (const other of node.pods.values()) {
      if (termSelects(term, other, snapshot)) counts.set(domain, (counts.get(domain) ?? 0) + 1)
    }
  }
  return counts
}

function affinityJudge(demand: Demand, snapshot: Snapshot): TopologyJudge {
  const near = demand.affinity.map((term) => ({ term, counts: countByDomain(term, snapshot) }))
  const away = demand.antiAffinity.map((term) => ({ term, counts: countByDomain(term, snapshot) }))
  const preferred = [
    ...demand.preferredAffinity.map(({ term, weight }) => ({ term, weight, counts: countByDomain(term, snapshot) })),
    ...demand.preferredAntiAffinity.map(({ term, weight }) => ({
      term,
      weight: -weight,
      counts: countByDomain(term, snapshot),
    })),
  ]
  const forbidden = domainsForbiddenByOthers(demand, snapshot)
  // The first of a group has nobody to be near: it may start anywhere that has the topology, if it would be its own company.
  const isFirst =
    near.every(({ counts }) => counts.size === 0) &&
    demand.affinity.every((term) => termSelects(term, demand, snapshot))
  const count = (counts: ReadonlyMap<string, number>, node: NodeState, key: string): number =>
    counts.get(own(node.labels, key) ?? '\0') ?? 0
  return {
    obstacle(node) {
      const hasTopology = near.every(({ term }) => own(node.labels, term.topologyKey) !== undefined)
      const isNear =
        hasTopology && (isFirst || near.every(({ term, counts }) => count(counts, node, term.topologyKey) > 0))
      if (!isNear) return { because: "node(s) didn't match pod affinity rules", isMendedByPreemption: false }
      if (away.some(({ term, counts }) => count(counts, node, term.topologyKey) > 0)) {
        return { because: "node(s) didn't match pod anti-affinity rules", isMendedByPreemption: true }
      }
      if (forbidden.some(({ key, domain }) => own(node.labels, key) === domain)) {
        return { because: "node(s) didn't satisfy existing pods anti-affinity rules", isMendedByPreemption: true }
      }
      return undefined
    },
    preference: (node) =>
      preferred.reduce((sum, { term, weight, counts }) => sum + weight * count(counts, node, term.topologyKey), 0),
  }
}

interface Domain {
  readonly key: string
  readonly domain: string
}

/** Where Pods that are already placed do not want this one near them. */
function domainsForbiddenByOthers(demand: Demand, snapshot: Snapshot): readonly Domain[] {
  const domains: Domain[] = []
  for (const node of snapshot.nodes) {
    for (const other of node.repelling) {
      for (const term of other.antiAffinity) {
        const domain = own(node.labels, term.topologyKey)
        if (domain !== undefined && termSelects(term, demand, snapshot)) domains.push({ key: term.topologyKey, domain })
      }
    }
  }
  return domains
}
