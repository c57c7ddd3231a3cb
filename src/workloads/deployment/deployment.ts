import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { LabelSelectorObject } from '../../kube/selector.ts'
import { own } from '../../lib/json.ts'
import type { PodTemplate } from '../pods/template.ts'

/** What a Deployment asks for. */
export interface DeploymentSpec {
  readonly replicas?: number
  readonly selector?: LabelSelectorObject
  readonly template?: PodTemplate
  readonly strategy?: {
    readonly type?: string
    readonly rollingUpdate?: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string }
  }
  readonly minReadySeconds?: number
  readonly revisionHistoryLimit?: number
  readonly paused?: boolean
  readonly progressDeadlineSeconds?: number
}

/** A condition that also says when something last moved. */
export interface DeploymentCondition extends Condition {
  readonly lastUpdateTime?: string
}

export interface DeploymentStatus {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly unavailableReplicas?: number
  readonly collisionCount?: number
  readonly conditions?: readonly DeploymentCondition[]
}

/** The spec of a Deployment. */
export const deploymentSpecOf = (deployment: KubeObject): DeploymentSpec => deployment['spec'] ?? {}

/** The status of a Deployment. */
export const deploymentStatusOf = (deployment: KubeObject): DeploymentStatus => deployment['status'] ?? {}

export const REVISION = 'deployment.kubernetes.io/revision'
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED = 'deployment.kubernetes.io/desired-replicas'
export const MAX = 'deployment.kubernetes.io/max-replicas'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** A number that an annotation holds; undefined when it holds none. */
export function annotatedNumber({ metadata }: KubeObject, name: string): number | undefined {
  const text = metadata.annotations && own(metadata.annotations, name)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** The revision of a ReplicaSet; 0 when it has none. */
export const revisionOf = (set: KubeObject): number => annotatedNumber(set, REVISION) ?? 0

/** The annotations that a ReplicaSet takes over from its Deployment. */
export function inheritedAnnotations({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const own = new Set([REVISION, REVISION_HISTORY, DESIRED, MAX, LAST_APPLIED])
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !own.has(name)))
}

/** How many Pods a rollout may have beyond and below what is wished for. */
export interface Bounds {
  readonly surge: number
  readonly unavailable: number
}

/** Percentages of the wished number: surge rounds up, unavailable down; both nought would never move. */
export function boundsOf({ replicas = 1, strategy = {} }: DeploymentSpec): Bounds {
  if (strategy.type === 'Recreate') return { surge: 0, unavailable: replicas }
  const { maxSurge = '25%', maxUnavailable = '25%' } = strategy.rollingUpdate ?? {}
  const surge = amountOf(maxSurge, replicas, Math.ceil)
  const unavailable = Math.min(amountOf(maxUnavailable, replicas, Math.floor), replicas)
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

/** A number, or a percentage of a total. */
export function amountOf(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)
  return percent ? round((Number(percent[1]) * total) / 100) : 0
}
