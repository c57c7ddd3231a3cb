import type { KubeObject } from '../../kube/object.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { claimSpecOf, classOf, type StorageClass, volumeSpecOf } from './volumes.ts'

/** Everything that a claim's next step depends on. */
export interface ObservedClaim {
  readonly claim: KubeObject
  readonly storage: StorageClass | undefined
  readonly classes: readonly StorageClass[]
  /** The one that it names, those that refer to it, and those of its class that nobody has. */
  readonly volumes: readonly KubeObject[]
  /** A Pod that uses the claim and has no node yet. */
  readonly consumer: KubeObject | undefined
}

/** Reads a claim and the volumes that there are; undefined when it is gone. */
export function observeClaim(key: string, { caches }: WorkloadPorts): ObservedClaim | undefined {
  const claim = caches.claims.cache.get(key)
  if (!claim) return undefined
  const name = classOf(claim)
  return {
    claim,
    storage: name ? caches.classes.cache.get(`/${name}`) : undefined,
    classes: caches.classes.cache.list(),
    volumes: candidates(claim, key, caches),
    consumer: caches.pods.cache.by('claim', key)[0],
  }
}

/** The volumes that could become a claim's. */
export function candidates(
  claim: KubeObject,
  key: string,
  { volumes }: Pick<WorkloadPorts['caches'], 'volumes'>,
): readonly KubeObject[] {
  const { volumeName } = claimSpecOf(claim)
  const named = volumeName ? volumes.cache.get(`/${volumeName}`) : undefined
  const found = new Set([...(named ? [named] : []), ...volumes.cache.by('claim', key)])
  if (!volumeName) for (const free of volumes.cache.by('free', classOf(claim) ?? '')) found.add(free)
  return [...found]
}

/** Everything that a volume's next step depends on. */
export interface ObservedVolume {
  readonly volume: KubeObject
  /** The claim of the name that the volume refers to. */
  readonly claim: KubeObject | undefined
}

/** Reads a volume and its claim; undefined when it is gone. */
export function observeVolume(key: string, { caches }: WorkloadPorts): ObservedVolume | undefined {
  const volume = caches.volumes.cache.get(key)
  if (!volume) return undefined
  const { claimRef } = volumeSpecOf(volume)
  return { volume, claim: claimRef && caches.claims.cache.get(`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`) }
}
