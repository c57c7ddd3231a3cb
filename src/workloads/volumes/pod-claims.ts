import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'

/** A claim that a Pod uses. */
export interface PodClaim {
  /** The Pod's name for it. */
  readonly volume: string
  readonly claim: string
  /** It is made for the Pod from this template, and goes with it. */
  readonly template?: { readonly metadata?: object; readonly spec?: object }
}

interface RawVolume {
  readonly name?: string
  readonly persistentVolumeClaim?: { readonly claimName?: string }
  readonly ephemeral?: { readonly volumeClaimTemplate?: NonNullable<PodClaim['template']> }
}

/** The claims that a Pod names, and those that are made for it. */
export function podClaimsOf(pod: KubeObject): readonly PodClaim[] {
  const volumes = podSpecOf(pod).volumes as readonly RawVolume[] | undefined
  return (volumes ?? []).flatMap(({ name = '', persistentVolumeClaim, ephemeral }): readonly PodClaim[] => {
    if (persistentVolumeClaim?.claimName) return [{ volume: name, claim: persistentVolumeClaim.claimName }]
    if (!ephemeral) return []
    return [
      { volume: name, claim: `${pod.metadata.name ?? ''}-${name}`, template: ephemeral.volumeClaimTemplate ?? {} },
    ]
  })
}

const none: readonly string[] = []

/** The names of the claims of a Pod. */
export function claimNamesOf(pod: KubeObject): readonly string[] {
  const claims = podClaimsOf(pod)
  return claims.length === 0 ? none : claims.map(({ claim }) => claim)
}
