import { isControlledBy } from '../../kube/owner.ts'
import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'

export const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection'
export const VOLUME_PROTECTION = 'kubernetes.io/pv-protection'

export type Plan =
  | { readonly do: 'nothing' }
  | { readonly do: 'protect' | 'release'; readonly finalizers: readonly string[]; readonly because: string }

/** The claims that a Pod names or has made for itself. */
export function claimsOf(pod: KubeObject): readonly string[] {
  return volumesOf(pod).map(({ claim }) => claim)
}

interface Use {
  readonly claim: string
  /** It was made for the Pod, and goes with it. */
  readonly isOwn: boolean
}

function volumesOf(pod: KubeObject): readonly Use[] {
  const volumes = (podSpecOf(pod)['volumes'] ?? []) as readonly {
    readonly name?: string
    readonly persistentVolumeClaim?: { readonly claimName?: string }
    readonly ephemeral?: unknown
  }[]
  return volumes.flatMap(({ name = '', persistentVolumeClaim, ephemeral }): readonly Use[] => {
    if (persistentVolumeClaim?.claimName) return [{ claim: persistentVolumeClaim.claimName, isOwn: false }]
    return ephemeral ? [{ claim: `${pod.metadata.name ?? ''}-${name}`, isOwn: true }] : []
  })
}

/** A Pod counts from when it has a node until its object is gone; for claims of its own, until nothing of it runs. */
function uses(pod: KubeObject, claim: KubeObject): boolean {
  if (!podSpecOf(pod).nodeName) return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  const isShutDown = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0
  return volumesOf(pod).some(
    (volume) => volume.claim === claim.metadata.name && (!volume.isOwn || (!isShutDown && isControlledBy(claim, pod))),
  )
}

/** Decides about a claim: a deleted one is kept for as long as a Pod uses it. */
export function planClaim(claim: KubeObject, pods: readonly KubeObject[]): Plan {
  const isUsed = (): boolean => pods.some((pod) => uses(pod, claim))
  return plan(claim, CLAIM_PROTECTION, isUsed, 'no Pod uses it')
}

/** Decides about a volume: a deleted one is kept for as long as it is bound. */
export function planVolume(volume: KubeObject): Plan {
  const { phase } = (volume['status'] ?? {}) as { readonly phase?: string }
  return plan(volume, VOLUME_PROTECTION, () => phase === 'Bound', 'no claim is bound to it')
}

function plan({ metadata }: KubeObject, finalizer: string, isUsed: () => boolean, because: string): Plan {
  const finalizers = metadata.finalizers ?? []
  const isProtected = finalizers.includes(finalizer)
  if (metadata.deletionTimestamp === undefined)
    return isProtected
      ? { do: 'nothing' }
      : { do: 'protect', finalizers: [...finalizers, finalizer], because: 'what is used must not go' }
  if (!isProtected || isUsed()) return { do: 'nothing' }
  return { do: 'release', finalizers: finalizers.filter((one) => one !== finalizer), because }
}
