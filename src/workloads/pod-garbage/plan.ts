import type { KubeObject } from '../../kube/object.ts'
import { isFinished, podSpecOf } from '../../kube/pod.ts'

/** So many finished Pods may lie around. */
export const FINISHED_KEPT = 12_500

export interface Observed {
  readonly pods: readonly KubeObject[]
  /** Whether the node of that name is known to be gone, for long enough to be sure. */
  readonly isGoneNode: (name: string) => boolean
  /** Whether somebody has said of the node that it is out of service: it will not come back to end its Pods. */
  readonly isOutOfService: (name: string) => boolean
  readonly kept: number
}

export interface Removal {
  readonly pod: KubeObject
  /** Nobody will ever say what became of it: it counts as failed. */
  readonly fails: boolean
  readonly because: string
}

/** Decides which Pods go: the oldest finished ones above the limit, those of gone nodes, and those that never had one. */
export function planPodGarbage({ pods, isGoneNode, isOutOfService, kept }: Observed): readonly Removal[] {
  const removals = new Map<KubeObject, Removal>()
  const finished = pods.filter((pod) => isFinished(pod) && pod.metadata.deletionTimestamp === undefined)
  const age = ({ metadata }: KubeObject): string => `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`
  const superfluous = finished
    .toSorted((a, b) => (age(a) < age(b) ? -1 : 1))
    .slice(0, Math.max(finished.length - kept, 0))
  for (const pod of superfluous)
    removals.set(pod, { pod, fails: false, because: `there are more than ${kept} finished Pods` })
  for (const pod of pods) {
    const { nodeName } = podSpecOf(pod)
    if (nodeName && isGoneNode(nodeName))
      removals.set(pod, { pod, fails: !isFinished(pod), because: `its node ${nodeName} is gone` })
    else if (nodeName && pod.metadata.deletionTimestamp !== undefined && isOutOfService(nodeName))
      removals.set(pod, { pod, fails: !isFinished(pod), because: `its node ${nodeName} is out of service` })
    else if (!nodeName && pod.metadata.deletionTimestamp !== undefined)
      removals.set(pod, { pod, fails: !isFinished(pod), because: 'it was deleted before it had a node' })
  }
  return [...removals.values()]
}
