import { own } from '../../lib/json.ts'
import type { Toleration } from '../../kube/pod.ts'
import type { Demand, HostPort, NodeRequirement, NodeTerm } from './demand.ts'
import type { NodeState, Taint } from './node.ts'

/** Why a node cannot take a Pod. Only a reason that fewer Pods would mend is one that preemption can help. */
export interface Obstacle {
  readonly because: string
  readonly isMendedByPreemption: boolean
}

const fixed = (because: string): Obstacle => ({ because, isMendedByPreemption: false })
const crowded = (because: string): Obstacle => ({ because, isMendedByPreemption: true })

/** The first thing about the node itself that stands in a Pod's way; what other Pods do to it is in `topology.ts`. */
export function nodeObstacle(demand: Demand, node: NodeState): Obstacle | undefined {
  return (
    unschedulable(demand, node) ??
    anotherNode(demand, node) ??
    untoleratedTaint(demand, node) ??
    unsuitable(demand, node) ??
    takenPort(demand, node) ??
    lackingResource(demand, node)
  )
}

const CORDON: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

function unschedulable(demand: Demand, node: NodeState): Obstacle | undefined {
  if (!node.isUnschedulable || demand.tolerations.some((toleration) => tolerates(toleration, CORDON))) return undefined
  return fixed('node(s) were unschedulable')
}

function anotherNode({ nodeName }: Demand, node: NodeState): Obstacle | undefined {
  return nodeName !== undefined && nodeName !== node.name
    ? fixed("node(s) didn't match the requested node name")
    : undefined
}

/** The first taint that keeps a Pod away. */
export function untolerated(
  tolerations: readonly Toleration[],
  taints: readonly Taint[],
  effects: readonly string[],
): Taint | undefined {
  return taints.find(
    (taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)),
  )
}

/** Tells whether a toleration accepts a taint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '')
}

const KEEPING_AWAY = ['NoSchedule', 'NoExecute'] as const

function untoleratedTaint(demand: Demand, node: NodeState): Obstacle | undefined {
  const taint = untolerated(demand.tolerations, node.taints, KEEPING_AWAY)
  return taint && fixed(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`)
}

/** Tells whether a node is one that the Pod's selector and required affinity ask for. */
export function isSuitable(demand: Demand, node: NodeState): boolean {
  return (
    demand.nodeSelector.every(([key, value]) => own(node.labels, key) === value) &&
    (demand.nodeTerms === undefined || demand.nodeTerms.some((term) => matchesTerm(term, node)))
  )
}

const unsuitable = (demand: Demand, node: NodeState): Obstacle | undefined =>
  isSuitable(demand, node) ? undefined : fixed("node(s) didn't match Pod's node affinity/selector")

/** An empty term matches nothing. */
export function matchesTerm({ matchExpressions, matchFields }: NodeTerm, node: NodeState): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return (
    matchExpressions.every((requirement) => meets(requirement, own(node.labels, requirement.key))) &&
    matchFields.every((requirement) => meets(requirement, requirement.key === 'metadata.name' ? node.name : undefined))
  )
}

function meets({ operator, values }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}

function takenPort(demand: Demand, node: NodeState): Obstacle | undefined {
  if (demand.hostPorts.length === 0) return undefined
  for (const other of node.pods.values()) {
    if (other.hostPorts.some((taken) => demand.hostPorts.some((wanted) => collides(wanted, taken)))) {
      return crowded("node(s) didn't have free ports for the requested pod ports")
    }
  }
  return undefined
}

const ANY = '0.0.0.0'
const collides = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.address === b.address || a.address === ANY || b.address === ANY)

/** How many Pods a node takes when it does not say. */
const USUAL_POD_LIMIT = 110

function lackingResource({ requests }: Demand, node: NodeState): Obstacle | undefined {
  if (node.pods.size + 1 > (node.allocatable.get('pods') ?? USUAL_POD_LIMIT)) return crowded('Too many pods')
  const lacking: string[] = []
  let isMendable = true
  for (const [name, amount] of requests) {
    if (amount === 0) continue
    const offered = node.allocatable.get(name) ?? 0
    if (amount <= offered - (node.taken.get(name) ?? 0)) continue
    lacking.push(`Insufficient ${name}`)
    if (amount > offered) isMendable = false
  }
  if (lacking.length === 0) return undefined
  return { because: lacking.join(', '), isMendedByPreemption: isMendable }
}
