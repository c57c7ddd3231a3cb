import type { KubeObject } from '../../kube/object.ts'
import { isControlledBy } from '../../kube/owner.ts'
import { isAllowedBy, isReachable, matchVolume } from '../volumes/match.ts'
import {
  annotation,
  claimSpecOf,
  claimStatusOf,
  isClaimBound,
  SELECTED_NODE,
  type StorageClass,
  waitsForConsumer,
} from '../volumes/volumes.ts'
import type { Demand } from './demand.ts'
import type { NodeState } from './node.ts'
import type { VolumeRule } from './plan.ts'
import type { Snapshot } from './topology.ts'

// Semantics: kubernetes 1.33, pkg/scheduler/framework/plugins/volumebinding, volumerestrictions.

/** A claim that a Pod uses, as it was found. */
export interface ClaimUse {
  readonly name: string
  /** It is made for the Pod. */
  readonly isOwn: boolean
  readonly claim: KubeObject | undefined
  readonly storage: StorageClass | undefined
  /** Volumes that are, or could become, the claim's. */
  readonly candidates: readonly KubeObject[]
}

interface Delayed {
  readonly claim: KubeObject
  readonly storage: StorageClass
  readonly candidates: readonly KubeObject[]
}

/** What a Pod's volumes mean for its way to a node. */
export interface VolumeFacts {
  /** Why no node can take it, whichever. */
  readonly refusal?: string
  readonly bound: readonly KubeObject[]
  /** Claims whose volumes are chosen with the node. */
  readonly delayed: readonly Delayed[]
  /** Claims that one Pod alone may use. */
  readonly exclusive: ReadonlySet<string>
}

/** One write that has to come before the Pod can be bound. */
export type VolumeStep =
  | { readonly do: 'select-node'; readonly claim: KubeObject; readonly node: string }
  | { readonly do: 'set-aside'; readonly claim: KubeObject; readonly volume: KubeObject }

const empty = { bound: [], delayed: [], exclusive: new Set<string>() }

/** Sorts a Pod's claims by what they need; the first that cannot be helped by any node is the refusal. */
export function volumeFacts(pod: KubeObject, uses: readonly ClaimUse[]): VolumeFacts {
  const bound: KubeObject[] = []
  const delayed: Delayed[] = []
  const exclusive = new Set<string>()
  let isUnbound = false
  for (const { name, isOwn, claim, storage, candidates } of uses) {
    const refusal = claimRefusal(pod, { name, isOwn }, claim)
    if (refusal !== undefined || !claim) return { ...empty, refusal: refusal ?? '' }
    if (claimSpecOf(claim).accessModes?.includes('ReadWriteOncePod')) exclusive.add(name)
    const volume = candidates.find(({ metadata }) => metadata.name === claimSpecOf(claim).volumeName)
    if (isClaimBound(claim) && volume) bound.push(volume)
    else if (!claimSpecOf(claim).volumeName && storage && waitsForConsumer(storage))
      delayed.push({ claim, storage, candidates })
    else isUnbound = true
  }
  const refusal = isUnbound ? { refusal: 'pod has unbound immediate PersistentVolumeClaims' } : {}
  return { ...refusal, bound, delayed, exclusive }
}

function claimRefusal(
  pod: KubeObject,
  { name, isOwn }: Pick<ClaimUse, 'name' | 'isOwn'>,
  claim: KubeObject | undefined,
): string | undefined {
  const quoted = JSON.stringify(name)
  if (!claim) {
    return isOwn
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
      : `persistentvolumeclaim ${quoted} not found`
  }
  if (claimStatusOf(claim).phase === 'Lost') {
    const volume = JSON.stringify(claimSpecOf(claim).volumeName ?? '')
    return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${volume}`
  }
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim ${quoted} is being deleted`
  if (isOwn && !isControlledBy(claim, pod))
    return `PVC ${quoted} was not created for pod ${JSON.stringify(pod.metadata.name ?? '')} (pod is not owner)`
  return undefined
}

const ZONES = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const

/** A volume that says where it is, by labels, is used there. */
const isInZone = ({ metadata }: KubeObject, node: NodeState): boolean =>
  ZONES.every((key) => {
    const wanted = metadata.labels?.[key]
    return wanted === undefined || wanted.split('__').includes(node.labels[key] ?? '')
  })

/** Judges nodes by what the volumes of a Pod allow. */
export function volumeRule(demand: Demand, facts: VolumeFacts, { nodes }: Snapshot): VolumeRule {
  const holders = new Map<string, number>()
  let held = 0
  if (facts.exclusive.size > 0) {
    for (const node of nodes) {
      const count = holdersOn(node, demand, facts)
      holders.set(node.name, count)
      held += count
    }
  }
  return (node) => {
    const elsewhere = held - (holders.get(node.name) ?? 0)
    if (facts.exclusive.size > 0 && elsewhere + holdersOn(node, demand, facts) > 0) {
      const because = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'
      return { because, isMendedByPreemption: elsewhere === 0 }
    }
    if (!facts.bound.every((volume) => isReachable(volume, node)))
      return { because: "node(s) didn't match PersistentVolume's node affinity", isMendedByPreemption: false }
    if (!facts.bound.every((volume) => isInZone(volume, node)))
      return { because: 'node(s) had no available volume zone', isMendedByPreemption: false }
    return choices(facts, node)
      ? undefined
      : { because: "node(s) didn't find available persistent volumes to bind", isMendedByPreemption: false }
  }
}

function holdersOn(node: NodeState, demand: Demand, { exclusive }: VolumeFacts): number {
  let count = 0
  for (const other of node.pods.values()) {
    if (other.namespace !== demand.namespace || other.key === demand.key) continue
    if (other.claims.some((name) => exclusive.has(name))) count++
  }
  return count
}

/** Which volume each claim would get on a node; none for one that is to be made. Undefined when one gets nothing. */
function choices({ delayed }: VolumeFacts, node: NodeState): ReadonlyMap<Delayed, KubeObject | undefined> | undefined {
  const chosen = new Map<Delayed, KubeObject | undefined>()
  const taken = new Set<string>()
  for (const one of delayed) {
    const selected = annotation(one.claim, SELECTED_NODE)
    if (selected !== undefined && selected !== node.name) return undefined
    const volume = matchVolume(one.claim, one.candidates, { node, taken })
    const canBeMade = one.storage.provisioner !== 'kubernetes.io/no-provisioner' && isAllowedBy(one.storage, node)
    if (!volume && !canBeMade) return undefined
    if (volume) taken.add(volume.metadata.name ?? '')
    chosen.set(one, volume)
  }
  return chosen
}

/** What is written about the volumes of a Pod that goes to a node. */
export function volumeSteps(facts: VolumeFacts, node: NodeState): readonly VolumeStep[] {
  return [...(choices(facts, node) ?? [])].map(([{ claim }, volume]) =>
    volume ? { do: 'set-aside', claim, volume } : { do: 'select-node', claim, node: node.name },
  )
}
