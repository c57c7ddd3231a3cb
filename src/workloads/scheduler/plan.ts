import type { Demand } from './demand.ts'
import { matchesTerm, nodeObstacle, type Obstacle, untolerated } from './filters.ts'
import type { NodeState } from './node.ts'
import { type Snapshot, topologyJudge, type TopologyJudge } from './topology.ts'

/** Where a Pod goes, or why it goes nowhere. */
export type Placement =
  | { readonly do: 'bind'; readonly node: string; readonly because: string }
  | { readonly do: 'wait'; readonly because: string; readonly obstacles: ReadonlyMap<string, Obstacle> }

/** What outside the Pod and the node can forbid a node: volumes that are elsewhere. */
export type VolumeRule = (node: NodeState) => Obstacle | undefined

/** Places one Pod on the best of the nodes that can take it. Ties go to the first by name, so that the same is always decided. */
export function planPlacement(demand: Demand, snapshot: Snapshot, volumes: VolumeRule = () => undefined): Placement {
  const judge = topologyJudge(demand, snapshot)
  const obstacles = new Map<string, Obstacle>()
  const fitting: NodeState[] = []
  for (const node of snapshot.nodes) {
    const obstacle = nodeObstacle(demand, node) ?? volumes(node) ?? judge.obstacle(node)
    if (obstacle) obstacles.set(node.name, obstacle)
    else fitting.push(node)
  }
  const best = bestOf(fitting, demand, judge)
  if (best)
    return {
      do: 'bind',
      node: best.name,
      because: `${fitting.length} of ${snapshot.nodes.length} nodes can take it; ${best.name} fits best`,
    }
  return { do: 'wait', because: describeObstacles(snapshot.nodes.length, obstacles), obstacles }
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {x: }.` */
export function describeObstacles(total: number, obstacles: ReadonlyMap<string, Obstacle>): string {
  if (total === 0) return 'no nodes available to schedule pods'
  const counts = new Map<string, number>()
  for (const { because } of obstacles.values()) {
    for (const reason of because.split(', ')) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const parts = [...counts].map(([because, count]) => `${count} ${because}`).toSorted()
  return `0/${total} nodes are available: ${parts.join(', ')}.`
}

interface Scored {
  readonly node: NodeState
  readonly parts: readonly number[]
}

/** How much each kind of score counts, in the order of `scoreParts`. */
const weights = [1, 1, 3, 2, 2] as const

function bestOf(nodes: readonly NodeState[], demand: Demand, judge: TopologyJudge): NodeState | undefined {
  if (nodes.length <= 1) return nodes[0]
  const scored: readonly Scored[] = nodes.map((node) => ({ node, parts: scoreParts(node, demand, judge) }))
  const ranges = weights.map((_, part) => rangeOf(scored, part))
  let best: NodeState | undefined
  let highest = Number.NEGATIVE_INFINITY
  for (const { node, parts } of scored) {
    let total = 0
    for (const [part, weight] of weights.entries()) total += weight * normalised(parts[part] ?? 0, ranges[part])
    if (total > highest || (total === highest && best !== undefined && node.name < best.name)) {
      best = node
      highest = total
    }
  }
  return best
}

interface Range {
  readonly least: number
  readonly most: number
  /** The first two scores are already between 0 and 100. */
  readonly isAbsolute: boolean
}

function rangeOf(scored: readonly Scored[], part: number): Range {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const { parts } of scored) {
    const value = parts[part] ?? 0
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  return { least, most, isAbsolute: part < 2 }
}

function normalised(value: number, range: Range | undefined): number {
  if (!range || range.isAbsolute) return value
  return range.most === range.least ? 0 : ((value - range.least) * 100) / (range.most - range.least)
}

function scoreParts(node: NodeState, demand: Demand, judge: TopologyJudge): readonly number[] {
  const cpu = shareAfter(node, demand, 'cpu')
  const memory = shareAfter(node, demand, 'memory')
  const free = 100 - ((cpu + memory) / 2) * 100
  const balance = 100 - Math.abs(cpu - memory) * 50
  const disliked = node.taints.filter((taint) => untolerated(demand.tolerations, [taint], ['PreferNoSchedule'])).length
  const liked = demand.preferredNodes.reduce(
    (sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0),
    0,
  )
  return [free, balance, -disliked, liked, judge.preference(node)]
}

function shareAfter(node: NodeState, demand: Demand, resource: string): number {
  const offered = node.allocatable.get(resource) ?? 0
  if (offered === 0) return 1
  return Math.min(1, ((node.taken.get(resource) ?? 0) + (demand.requests.get(resource) ?? 0)) / offered)
}

/** Which Pod is placed first: the more important one, then the older one. */
export function comesBefore(a: Demand, b: Demand): number {
  return (
    b.priority - a.priority || (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.key < b.key ? -1 : 1)
  )
}
