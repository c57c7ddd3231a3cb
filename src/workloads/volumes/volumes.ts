import type { KubeObject } from '../../kube/object.ts'
import { parseQuantity, type Quantity, quantityOf } from '../../kube/quantity.ts'
import type { LabelSelectorObject } from '../../kube/selector.ts'
import { own } from '../../lib/json.ts'

/** What a claim asks for. */
export interface ClaimSpec {
  readonly accessModes?: readonly string[]
  readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> }
  readonly storageClassName?: string
  readonly volumeName?: string
  readonly volumeMode?: string
  readonly selector?: LabelSelectorObject
  readonly [field: string]: unknown
}

export interface ClaimStatus {
  readonly phase?: string
  readonly accessModes?: readonly string[]
  readonly capacity?: Readonly<Record<string, string | number>>
  readonly [field: string]: unknown
}

/** Whom a volume belongs to. */
export interface ClaimRef {
  readonly apiVersion?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly resourceVersion?: string
}

export interface VolumeSpec {
  readonly accessModes?: readonly string[]
  readonly capacity?: Readonly<Record<string, string | number>>
  readonly storageClassName?: string
  readonly volumeMode?: string
  readonly claimRef?: ClaimRef
  readonly persistentVolumeReclaimPolicy?: string
  readonly nodeAffinity?: { readonly required?: { readonly nodeSelectorTerms?: readonly RawTerm[] } }
  readonly [field: string]: unknown
}

export interface VolumeStatus {
  readonly phase?: string
  readonly reason?: string
  readonly message?: string
  readonly [field: string]: unknown
}

interface RawExpression {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** A term over nodes as it is written. */
export interface RawTerm {
  readonly matchExpressions?: readonly RawExpression[]
  readonly matchFields?: readonly RawExpression[]
}

/** How the volumes of a class are made, and when. */
export interface StorageClass extends KubeObject {
  readonly provisioner?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly reclaimPolicy?: string
  readonly mountOptions?: readonly string[]
  readonly volumeBindingMode?: string
  readonly allowVolumeExpansion?: boolean
  readonly allowedTopologies?: readonly {
    readonly matchLabelExpressions?: readonly { readonly key: string; readonly values?: readonly string[] }[]
  }[]
}

// The API server has checked the types of what these read.
export const claimSpecOf = (claim: KubeObject): ClaimSpec => (claim['spec'] ?? {}) as ClaimSpec
export const claimStatusOf = (claim: KubeObject): ClaimStatus => (claim['status'] ?? {}) as ClaimStatus
export const volumeSpecOf = (volume: KubeObject): VolumeSpec => (volume['spec'] ?? {}) as VolumeSpec
export const volumeStatusOf = (volume: KubeObject): VolumeStatus => (volume['status'] ?? {}) as VolumeStatus

/** The provisioner that is built in: a folder on this machine. */
export const PROVISIONER = 'idp.dev/host-path'

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
export const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

/** An annotation of an object, as data. */
export const annotation = ({ metadata }: KubeObject, name: string): string | undefined =>
  metadata.annotations && own(metadata.annotations, name)

const nothing = quantityOf(0)

/** The storage that a list names; nothing where it is no amount, which validation has refused before. */
export function storageOf(list: Readonly<Record<string, string | number>> | undefined): Quantity {
  const read = parseQuantity(String(list?.['storage'] ?? '0'))
  return read.ok ? read.value : nothing
}

/** The claim has been bound once: it never looks for another volume. */
export const isBindCompleted = (claim: KubeObject): boolean => annotation(claim, BIND_COMPLETED) !== undefined

/** The claim has its volume, and both say so. */
export const isClaimBound = (claim: KubeObject): boolean =>
  isBindCompleted(claim) && Boolean(claimSpecOf(claim).volumeName)

/** The volume is meant for the claim, by name and, where it says so, by uid. */
export function isMeantFor(volume: KubeObject, claim: KubeObject): boolean {
  const { claimRef } = volumeSpecOf(volume)
  if (!claimRef || claimRef.name !== claim.metadata.name || claimRef.namespace !== claim.metadata.namespace)
    return false
  return !claimRef.uid || claimRef.uid === claim.metadata.uid
}

/** The class that a claim asks for; empty for none, undefined while it has not been decided. */
export function classOf(claim: KubeObject): string | undefined {
  return annotation(claim, 'volume.beta.kubernetes.io/storage-class') ?? claimSpecOf(claim).storageClassName
}

/** Its volumes are chosen when the first Pod that uses them gets a node. */
export const waitsForConsumer = (storage: StorageClass | undefined): boolean =>
  storage?.volumeBindingMode === 'WaitForFirstConsumer'

/** The newest class that is marked as the default one; names break ties. */
export function defaultClass(classes: readonly StorageClass[]): StorageClass | undefined {
  return classes
    .filter((one) => annotation(one, DEFAULT_CLASS) === 'true')
    .toSorted(
      (a, b) =>
        (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '') ||
        (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''),
    )[0]
}
