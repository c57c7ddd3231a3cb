import type { KubeObject } from '../../kube/object.ts'
import { matchesLabels, compileSelector, type LabelSelectorObject } from '../../kube/selector.ts'
import type { Demand } from './demand.ts'
import { nodeObstacle, type Obstacle } from './filters.ts'
import { type NodeState, withoutPod, withPod } from './node.ts'
import { comesBefore, type VolumeRule } from './plan.ts'
import { type Snapshot, topologyJudge } from './topology.ts'

/** A node that would take the Pod once its victims have gone. */
export interface Preemption {
  readonly node: string
  readonly victims: readonly Demand[]
  /** How many of the victims a PodDisruptionBudget wanted to keep. */
  readonly broken: number
}

/** How many more Pods of a set may be disturbed. */
export interface Budget {
  readonly namespace: string
  readonly selects: (labels: Readonly<Record<string, string>>) => boolean
  readonly allowed: number
}

/** Reads a PodDisruptionBudget. */
export function budgetOf(object: KubeObject): Budget {
  const { selector } = (object['spec'] ?? {}) as { readonly selector?: LabelSelectorObject }
  const { disruptionsAllowed = 0 } = (object['status'] ?? {}) as { readonly disruptionsAllowed?: number }
  const compiled = selector ? compileSelector(selector) : undefined
  return {
    namespace: object.metadata.namespace ?? '',
    selects: (labels) => compiled?.ok === true && matchesLabels(compiled.value, labels),
    allowed: disruptionsAllowed,
  }
}

export interface PreemptionQuestion {
  readonly demand: Demand
  readonly snapshot: Snapshot
  readonly obstacles: ReadonlyMap<string, Obstacle>
  readonly budgets: readonly Budget[]
  readonly volumes?: VolumeRule
}

/**
 * The node where making room hurts least: no broken budget before a broken one, then the least important victims, then the
 * fewest. Only Pods of lower priority are victims, and each is kept if the Pod fits beside it after all.
 */
export function planPreemption(question: PreemptionQuestion): Preemption | undefined {
  const { demand, snapshot, obstacles } = question
  if (!demand.mayPreempt) return undefined
  let best: Preemption | undefined
  for (const node of snapshot.nodes) {
    if (obstacles.get(node.name)?.isMendedByPreemption !== true) continue
    const candidate = preemptOn(node, question)
    if (candidate && (!best || hurtsLess(candidate, best))) best = candidate
  }
  return best
}

function preemptOn(node: NodeState, question: PreemptionQuestion): Preemption | undefined {
  const { demand, budgets } = question
  const lower = [...node.pods.values()].filter((other) => other.priority < demand.priority)
  if (lower.length === 0) return undefined
  const emptied = lower.reduce((state, victim) => withoutPod(state, victim.key), node)
  if (!fits(emptied, question)) return undefined
  const { breaking, harmless } = splitByBudget(lower.toSorted(comesBefore), budgets)
  // Those that a budget protects, then the more important ones, are the first to be let back in.
  let state = emptied
  const victims: Demand[] = []
  let broken = 0
  for (const [candidates, isBreaking] of [[breaking, true] as const, [harmless, false] as const]) {
    for (const candidate of candidates) {
      const back = withPod(state, candidate)
      if (fits(back, question)) state = back
      else {
        victims.push(candidate)
        if (isBreaking) broken++
      }
    }
  }
  return victims.length === 0 ? undefined : { node: node.name, victims, broken }
}

function fits(node: NodeState, { demand, snapshot, volumes }: PreemptionQuestion): boolean {
  if (nodeObstacle(demand, node) ?? volumes?.(node)) return false
  const nodes = snapshot.nodes.map((other) => (other.name === node.name ? node : other))
  return topologyJudge(demand, { ...snapshot, nodes }).obstacle(node) === undefined
}

function splitByBudget(
  pods: readonly Demand[],
  budgets: readonly Budget[],
): { readonly breaking: readonly Demand[]; readonly harmless: readonly Demand[] } {
  const left = new Map(budgets.map((budget) => [budget, budget.allowed]))
  const breaking: Demand[] = []
  const harmless: Demand[] = []
  for (const pod of pods) {
    let isBreaking = false
    for (const budget of budgets) {
      if (budget.namespace !== pod.namespace || !budget.selects(pod.labels)) continue
      const remaining = (left.get(budget) ?? 0) - 1
      left.set(budget, remaining)
      if (remaining < 0) isBreaking = true
    }
    ;(isBreaking ? breaking : harmless).push(pod)
  }
  return { breaking, harmless }
}

function hurtsLess(a: Preemption, b: Preemption): boolean {
  if (a.broken !== b.broken) return a.broken < b.broken
  const highest = (preemption: Preemption): number => Math.max(...preemption.victims.map(({ priority }) => priority))
  if (highest(a) !== highest(b)) return highest(a) < highest(b)
  const sum = (preemption: Preemption): number =>
    preemption.victims.reduce((total, { priority }) => total + priority, 0)
  if (sum(a) !== sum(b)) return sum(a) < sum(b)
  return a.victims.length < b.victims.length
}

/** The tail of the message of a Pod for which nobody makes room. */
export function describeNoPreemption(total: number, obstacles: ReadonlyMap<string, Obstacle>): string {
  const helpless = [...obstacles.values()].filter(({ isMendedByPreemption }) => !isMendedByPreemption).length
  const parts = [
    ...(helpless > 0 ? [`${helpless} Preemption is not helpful for scheduling`] : []),
    ...(total - helpless > 0 ? [`${total - helpless} No preemption victims found for incoming pod`] : []),
  ]
  return `preemption: 0/${total} nodes are available: ${parts.join(', ')}.`
}
