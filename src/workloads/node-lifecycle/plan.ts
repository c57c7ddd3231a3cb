import { type Condition, conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { isEqual } from '../../lib/json.ts'
import type { Taint } from '../scheduler/node.ts'

// Semantics: kubernetes 1.33, pkg/controller/nodelifecycle/node_lifecycle_controller.go.

/** A node that has not been heard of for so long is in trouble. */
export const GRACE_MS = 50_000

/** How many nodes of a zone are in trouble: where most are, the trouble is likely to be elsewhere. */
export type ZoneState = 'normal' | 'partial' | 'full'

export interface Observed {
  readonly node: KubeObject
  /** When the node was last heard of. */
  readonly heardMs: number
  readonly nowMs: number
  /** Whether its Pods may be sent away now: not while nothing works anywhere, and not too many nodes at once. */
  readonly mayEvict: boolean
  /** No node anywhere works: what was begun is taken back. */
  readonly isAllLost: boolean
}

export interface NodePlan {
  /** The conditions of a node that is silent. */
  readonly conditions?: readonly Condition[]
  /** The taints as they are to be, where they are not. */
  readonly taints?: readonly NodeTaint[]
  /** It has ceased to be ready: so have its Pods. */
  readonly hasFailed: boolean
  readonly againAfterMs: number
  readonly because: string
}

export interface NodeTaint extends Taint {
  readonly timeAdded?: string
}

const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

/** The taint that keeps new Pods away, by the condition that asks for it and the status in which it does. */
const byCondition: readonly (readonly [type: string, status: string, key: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
]
const ours = new Set([UNSCHEDULABLE, ...byCondition.map(([, , key]) => key)])

interface NodeParts {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly NodeTaint[] }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

/** The conditions of a node. */
export const nodeConditionsOf = (node: KubeObject): readonly Condition[] =>
  (node as unknown as NodeParts).status?.conditions ?? []

/** The taints of a node. */
export const taintsOf = (node: KubeObject): readonly NodeTaint[] => (node as unknown as NodeParts).spec?.taints ?? []

/** The Ready condition is True. */
export const isNodeReady = (node: KubeObject): boolean =>
  conditionOf(nodeConditionsOf(node), 'Ready')?.status === 'True'

/** Which zone a node belongs to, as evictions are counted. */
export function zoneOf({ metadata }: KubeObject): string {
  const { labels = {} } = metadata
  return `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`
}

/** How the nodes of a zone stand together. */
export function zoneStateOf(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'full'
  return notReady > 2 && notReady / (ready + notReady) >= 0.55 ? 'partial' : 'normal'
}

/** Decides what a node's silence, its conditions and its cordon mean for it and for its Pods. */
export function planNode(seen: Observed): NodePlan {
  const { node, heardMs, nowMs } = seen
  const silentMs = nowMs - heardMs
  const isSilent = silentMs >= GRACE_MS
  const before = nodeConditionsOf(node)
  const conditions = isSilent ? unknown(before, nowMs) : before
  const taints = wantedTaints(node, conditions, seen)
  const wasReady = conditionOf(before, 'Ready')?.status === 'True'
  const isReady = conditionOf(conditions, 'Ready')?.status === 'True'
  return {
    ...(conditions === before || isEqual(conditions, before) ? {} : { conditions }),
    ...(isEqual(withoutTimes(taints), withoutTimes(taintsOf(node))) ? {} : { taints }),
    hasFailed: wasReady && !isReady,
    againAfterMs: isSilent || !isReady ? 5_000 : Math.max(1, GRACE_MS - silentMs),
    because: isSilent ? `nothing was heard of it for ${Math.round(silentMs / 1_000)} s` : 'it is heard of',
  }
}

const withoutTimes = (taints: readonly NodeTaint[]): readonly NodeTaint[] =>
  taints.map(({ timeAdded: _time, ...taint }) => taint)

const told = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

function unknown(before: readonly Condition[], nowMs: number): readonly Condition[] {
  if (told.every((type) => conditionOf(before, type)?.status === 'Unknown')) return before
  const others = before.filter(({ type }) => !(told as readonly string[]).includes(type))
  const silent = told.map((type): Condition => {
    const known = conditionOf(before, type)
    if (known?.status === 'Unknown') return known
    return {
      ...known,
      type,
      status: 'Unknown',
      reason: known ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
      message: known ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
      lastTransitionTime: formatTime(nowMs),
    }
  })
  return [...others, ...silent]
}

/** Taints that others have put stay; ours follow from the conditions. Pods are sent away only where that is allowed now. */
function wantedTaints(node: KubeObject, conditions: readonly Condition[], seen: Observed): readonly NodeTaint[] {
  const before = taintsOf(node)
  const isUnschedulable = (node as unknown as NodeParts).spec?.unschedulable === true
  const keys = byCondition.flatMap(([type, status, key]) =>
    conditionOf(conditions, type)?.status === status ? [key] : [],
  )
  const wanted = new Set([...keys, ...(isUnschedulable ? [UNSCHEDULABLE] : [])])
  const evicting = keys.find((key) => key === NOT_READY || key === UNREACHABLE)
  const isEvicted = (key: string): boolean => before.some((taint) => taint.key === key && taint.effect === 'NoExecute')
  const wasEvicting = isEvicted(NOT_READY) || isEvicted(UNREACHABLE)
  const evicts = evicting !== undefined && !seen.isAllLost && (wasEvicting || seen.mayEvict)
  const stays = ({ key, effect }: NodeTaint): boolean => {
    if (effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)) return evicts && key === evicting
    return effect !== 'NoSchedule' || !ours.has(key) || wanted.has(key)
  }
  const kept = before.filter(stays)
  const has = (key: string, effect: string): boolean => kept.some((one) => one.key === key && one.effect === effect)
  const timeAdded = formatTime(seen.nowMs)
  const added: NodeTaint[] = [...wanted].flatMap((key) =>
    has(key, 'NoSchedule') ? [] : [{ key, effect: 'NoSchedule', timeAdded }],
  )
  if (evicts && !has(evicting, 'NoExecute')) added.push({ key: evicting, effect: 'NoExecute', timeAdded })
  return added.length === 0 && kept.length === before.length ? before : [...kept, ...added]
}
