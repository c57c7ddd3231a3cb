import type { KubeObject } from '../../kube/object.ts'
import { compareQuantity } from '../../kube/quantity.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { matchVolume, mismatch } from './match.ts'
import type { ObservedClaim, ObservedVolume } from './observe.ts'
import { claimRefOf, provisioned } from './provision.ts'
import {
  annotation,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  claimSpecOf,
  type ClaimStatus,
  claimStatusOf,
  classOf,
  defaultClass,
  isBindCompleted,
  isMeantFor,
  PROVISIONED_BY,
  PROVISIONER,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  storageOf,
  type VolumeSpec,
  volumeSpecOf,
  type VolumeStatus,
  volumeStatusOf,
  waitsForConsumer,
} from './volumes.ts'

// Semantics: kubernetes 1.33, pkg/controller/volume/persistentvolume/pv_controller.go.

/** What is done about a claim now. */
export type ClaimPlan =
  | { readonly do: 'report'; readonly status: ClaimStatus; readonly note?: EventNote; readonly because: string }
  /** Both as they are to be: whatever of them differs is written, the volume first. */
  | {
      readonly do: 'bind'
      readonly volume: KubeObject
      readonly claim: KubeObject
      readonly status: ClaimStatus
      readonly note?: EventNote
      readonly because: string
    }
  | {
      readonly do: 'provision'
      readonly claim: KubeObject
      readonly volume: KubeObject
      readonly because: string
    }
  | { readonly do: 'change'; readonly claim: KubeObject; readonly note?: EventNote; readonly because: string }

/** Binds a claim to the volume that fits, has one made for it, or says what it waits for. */
export function planClaim(seen: ObservedClaim): ClaimPlan {
  return isBindCompleted(seen.claim) ? planBound(seen) : planUnbound(seen)
}

const phased = (claim: KubeObject, phase: string): ClaimStatus => {
  const { accessModes: _modes, capacity: _capacity, ...rest } = claimStatusOf(claim)
  return { ...rest, phase }
}

const pending = (claim: KubeObject, because: string, note?: EventNote): ClaimPlan => ({
  do: 'report',
  status: phased(claim, 'Pending'),
  because,
  ...(note ? { note } : {}),
})

const lost = (claim: KubeObject, reason: string, message: string): ClaimPlan => ({
  do: 'report',
  status: phased(claim, 'Lost'),
  because: message,
  ...(claimStatusOf(claim).phase === 'Lost' ? {} : { note: { type: 'Warning', reason, message } }),
})

function planBound(seen: ObservedClaim): ClaimPlan {
  const { claim, volumes } = seen
  const { volumeName } = claimSpecOf(claim)
  const { uid } = claim.metadata
  const dataLost = 'Data on the volume is lost!'
  if (!volumeName) return lost(claim, 'ClaimLost', `Bound claim has lost reference to PersistentVolume. ${dataLost}`)
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName)
  if (!volume) return lost(claim, 'ClaimLost', `Bound claim has lost its PersistentVolume. ${dataLost}`)
  const { claimRef } = volumeSpecOf(volume)
  if (!claimRef || claimRef.uid === uid) return grown(seen, volume) ?? bind(claim, volume)
  return lost(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

/** A claim that asks for more than it has: the folder of the built-in provisioner simply is larger. */
function grown({ claim, storage }: ObservedClaim, volume: KubeObject): ClaimPlan | undefined {
  const wanted = claimSpecOf(claim).resources?.requests
  const spec = volumeSpecOf(volume)
  const { capacity } = claimStatusOf(claim)
  if (!capacity || compareQuantity(storageOf(wanted), storageOf(capacity)) <= 0) return undefined
  if (annotation(volume, PROVISIONED_BY) !== PROVISIONER || storage?.allowVolumeExpansion !== true) {
    const message = 'waiting for an external controller to expand this PVC'
    const bound = bind(claim, volume)
    return bound.do === 'bind' ? { ...bound, note: { type: 'Normal', reason: 'ExternalExpanding', message } } : bound
  }
  const size = wanted?.['storage'] ?? '0'
  const larger = { ...volume, spec: { ...spec, capacity: { ...spec.capacity, storage: size } } }
  const note: EventNote = {
    type: 'Normal',
    reason: 'FileSystemResizeSuccessful',
    message: `volume was resized to ${String(size)}`,
  }
  const bound = bind(claim, larger)
  return bound.do === 'bind' ? { ...bound, note, because: 'the claim asks for more' } : bound
}

function planUnbound(seen: ObservedClaim): ClaimPlan {
  const { claim, volumes } = seen
  const { volumeName } = claimSpecOf(claim)
  if (claim.metadata.deletionTimestamp !== undefined) return pending(claim, 'the claim is being deleted')
  if (!volumeName) return planSearch(seen)
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName)
  if (!volume) return pending(claim, `it names the volume ${volumeName}, which is not there`)
  if (volumeSpecOf(volume).claimRef && !isMeantFor(volume, claim)) {
    const message = `volume ${JSON.stringify(volumeName)} already bound to a different claim.`
    return pending(claim, message, { type: 'Warning', reason: 'FailedBinding', message })
  }
  const wrong = volumeSpecOf(volume).claimRef?.uid ? undefined : mismatch(volume, claim)
  if (wrong !== undefined) {
    const message = `Cannot bind to requested volume ${JSON.stringify(volumeName)}: ${wrong}`
    return pending(claim, message, { type: 'Warning', reason: 'VolumeMismatch', message })
  }
  return bind(claim, volume)
}

function planSearch(seen: ObservedClaim): ClaimPlan {
  const { claim, storage, classes, volumes, consumer } = seen
  const node = annotation(claim, SELECTED_NODE)
  const isDelayed = waitsForConsumer(storage) && node === undefined
  const found = matchVolume(claim, volumes, { isDelayed })
  if (found) return bind(claim, found)
  const name = classOf(claim)
  if (name === undefined) {
    const usual = defaultClass(classes)
    if (usual) {
      const spec = { ...claimSpecOf(claim), storageClassName: usual.metadata.name }
      return { do: 'change', claim: { ...claim, spec }, because: 'there is a default class now' }
    }
  }
  if (!name) {
    const message = 'no persistent volumes available for this claim and no storage class is set'
    return pending(claim, message, { type: 'Normal', reason: 'FailedBinding', message })
  }
  if (isDelayed) {
    const note: EventNote = consumer
      ? {
          type: 'Normal',
          reason: 'WaitForPodScheduled',
          message: `waiting for pod ${consumer.metadata.name ?? ''} to be scheduled`,
        }
      : {
          type: 'Normal',
          reason: 'WaitForFirstConsumer',
          message: 'waiting for first consumer to be created before binding',
        }
    return pending(claim, note.message, note)
  }
  if (!storage) {
    const message = `storageclass.storage.k8s.io ${JSON.stringify(name)} not found`
    return pending(claim, message, { type: 'Warning', reason: 'ProvisioningFailed', message })
  }
  return planProvision(claim, { ...storage, provisioner: storage.provisioner ?? '' }, node)
}

const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

function planProvision(
  claim: KubeObject,
  storage: NonNullable<ObservedClaim['storage']>,
  node: string | undefined,
): ClaimPlan {
  const { provisioner = '' } = storage
  if (provisioner === NO_PROVISIONER) {
    const message = 'no volume plugin matched'
    return pending(claim, message, { type: 'Warning', reason: 'ProvisioningFailed', message })
  }
  const annotations = { ...claim.metadata.annotations, [STORAGE_PROVISIONER]: provisioner }
  const marked = { ...claim, metadata: { ...claim.metadata, annotations } }
  if (provisioner === PROVISIONER) {
    const because = `its class ${storage.metadata.name ?? ''} makes volumes on demand`
    return { do: 'provision', claim: marked, volume: provisioned(claim, storage, node), because }
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the ` +
    'system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
  const note: EventNote = { type: 'Normal', reason: 'ExternalProvisioning', message }
  return annotation(claim, STORAGE_PROVISIONER) === provisioner
    ? pending(claim, 'somebody else makes the volumes of its class', note)
    : { do: 'change', claim: marked, note, because: 'somebody else makes the volumes of its class' }
}

/** Makes both sides point at each other; what the controller has put there is marked, so that it can be taken back. */
function bind(claim: KubeObject, volume: KubeObject): ClaimPlan {
  const spec = volumeSpecOf(volume)
  const isRefOurs = !spec.claimRef
  const nextVolume: KubeObject = isMarked(volume, claim)
    ? volume
    : {
        ...volume,
        metadata: isRefOurs ? annotated(volume, { [BOUND_BY_CONTROLLER]: 'yes' }) : volume.metadata,
        spec: { ...spec, claimRef: claimRefOf(claim) },
      }
  const { volumeName } = claimSpecOf(claim)
  const isNameOurs = volumeName !== volume.metadata.name
  const nextClaim: KubeObject =
    !isNameOurs && isBindCompleted(claim)
      ? claim
      : {
          ...claim,
          metadata: annotated(claim, {
            [BIND_COMPLETED]: 'yes',
            ...(isNameOurs ? { [BOUND_BY_CONTROLLER]: 'yes' } : {}),
          }),
          spec: { ...claimSpecOf(claim), volumeName: volume.metadata.name },
        }
  const status: ClaimStatus = {
    ...claimStatusOf(claim),
    phase: 'Bound',
    ...(spec.accessModes ? { accessModes: spec.accessModes } : {}),
    capacity: spec.capacity ?? {},
  }
  return { do: 'bind', volume: nextVolume, claim: nextClaim, status, because: `${volume.metadata.name ?? ''} fits` }
}

const isMarked = (volume: KubeObject, { metadata }: KubeObject): boolean =>
  volumeSpecOf(volume).claimRef?.uid === metadata.uid && metadata.uid !== undefined

const annotated = ({ metadata }: KubeObject, more: Readonly<Record<string, string>>): KubeObject['metadata'] => ({
  ...metadata,
  annotations: { ...metadata.annotations, ...more },
})

/** What is done about a volume now. */
export type VolumePlan =
  | { readonly do: 'report'; readonly status: VolumeStatus; readonly note?: EventNote; readonly because: string }
  /** Nobody's any more: it is as if it had never been given to a claim. */
  | { readonly do: 'free'; readonly volume: KubeObject; readonly note?: EventNote; readonly because: string }
  | { readonly do: 'remove'; readonly status: VolumeStatus; readonly because: string }

/** Says whose a volume is, and does with one whose claim is gone what its reclaim policy says. */
export function planVolume({ volume, claim }: ObservedVolume): VolumePlan {
  const { claimRef } = volumeSpecOf(volume)
  if (!claimRef) return phase(volume, 'Available', 'nobody claims it')
  if (!claimRef.uid) return phase(volume, 'Available', 'it is kept for a claim')
  if (!claim || claim.metadata.uid !== claimRef.uid) return reclaim(volume, 'its claim is gone')
  const { volumeName } = claimSpecOf(claim)
  if (volumeName === volume.metadata.name) return phase(volume, 'Bound', 'its claim is bound to it')
  if (!volumeName) return phase(volume, volumeStatusOf(volume).phase ?? 'Pending', 'its claim is about to be bound')
  const isMade = annotation(volume, PROVISIONED_BY) !== undefined
  if (isMade && volumeSpecOf(volume).persistentVolumeReclaimPolicy === 'Delete')
    return reclaim(volume, 'its claim has found another')
  return { do: 'free', volume: freed(volume), because: 'its claim has found another' }
}

function phase(volume: KubeObject, to: string, because: string): VolumePlan {
  const { reason: _reason, message: _message, ...rest } = volumeStatusOf(volume)
  return { do: 'report', status: { ...rest, phase: to }, because }
}

/** What a person wrote into the reference stays; what the controller wrote goes. */
function freed(volume: KubeObject): KubeObject {
  const { claimRef, ...spec }: VolumeSpec = volumeSpecOf(volume)
  if (annotation(volume, BOUND_BY_CONTROLLER) === undefined) {
    const { uid: _uid, resourceVersion: _version, ...name } = claimRef ?? {}
    return { ...volume, spec: { ...spec, claimRef: name } }
  }
  const { [BOUND_BY_CONTROLLER]: _mark, ...annotations } = volume.metadata.annotations ?? {}
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec }
}

function reclaim(volume: KubeObject, because: string): VolumePlan {
  const spec = volumeSpecOf(volume)
  const status = volumeStatusOf(volume)
  const released = (): VolumePlan =>
    status.phase === 'Failed' ? { do: 'report', status, because } : phase(volume, 'Released', because)
  switch (spec.persistentVolumeReclaimPolicy ?? 'Retain') {
    case 'Delete': {
      const maker = annotation(volume, PROVISIONED_BY)
      if (maker === PROVISIONER) return { do: 'remove', status: { ...status, phase: 'Released' }, because }
      // Volumes of drivers are removed by whoever made them.
      return maker !== undefined || spec['csi'] !== undefined ? released() : undeletable(volume)
    }
    case 'Recycle': {
      const note: EventNote = { type: 'Normal', reason: 'VolumeRecycled', message: 'Volume recycled' }
      const { claimRef: _ref, ...free } = spec
      return { do: 'free', volume: { ...volume, spec: free }, note, because }
    }
    default:
      return released()
  }
}

function undeletable(volume: KubeObject): VolumePlan {
  const name = JSON.stringify(volume.metadata.name ?? '')
  const message = `error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`
  const note: EventNote = { type: 'Warning', reason: 'VolumeFailedDelete', message }
  const isKnown = volumeStatusOf(volume).phase === 'Failed'
  return {
    do: 'report',
    status: { ...volumeStatusOf(volume), phase: 'Failed', message },
    because: message,
    ...(isKnown ? {} : { note }),
  }
}
