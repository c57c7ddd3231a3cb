import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { LabelSelectorObject } from '../../kube/selector.ts'
import type { PodTemplate } from '../pods/template.ts'

/** What a ReplicaSet asks for. */
export interface ReplicaSetSpec {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly selector?: LabelSelectorObject
  readonly template?: PodTemplate
}

export interface ReplicaSetStatus {
  readonly replicas?: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
}

/** The spec of a ReplicaSet. */
export const replicaSetSpecOf = (set: KubeObject): ReplicaSetSpec => set['spec'] ?? {}

/** The status of a ReplicaSet. */
export const replicaSetStatusOf = (set: KubeObject): ReplicaSetStatus => set['status'] ?? {}
