import type { KubeObject } from '../../kube/object.ts'
import { compareQuantity, type Quantity } from '../../kube/quantity.ts'
import { compileSelector, matchesLabels } from '../../kube/selector.ts'
import { matchesTerm } from '../scheduler/filters.ts'
import type { NodeState } from '../scheduler/node.ts'
import {
  claimSpecOf,
  classOf,
  isMeantFor,
  type RawTerm,
  type StorageClass,
  storageOf,
  volumeSpecOf,
  volumeStatusOf,
} from './volumes.ts'

/** Which volumes may be considered for a claim. */
export interface MatchRules {
  /** Only those that can be reached from this node. */
  readonly node?: NodeState
  /** Only those that were meant for the claim before: the others wait for a node. */
  readonly isDelayed?: boolean
  /** Volumes that are spoken for in the same decision. */
  readonly taken?: ReadonlySet<string>
}

/** The volume for a claim: the one that was meant for it, else the smallest that is enough. */
export function matchVolume(
  claim: KubeObject,
  volumes: readonly KubeObject[],
  { node, isDelayed = false, taken }: MatchRules = {},
): KubeObject | undefined {
  const wish = wishOf(claim)
  let best: KubeObject | undefined
  for (const volume of volumes) {
    if (taken?.has(volume.metadata.name ?? '') || !isEnough(volume, wish)) continue
    const isInReach = node === undefined || isReachable(volume, node)
    if (isMeantFor(volume, claim)) return isInReach ? volume : undefined
    if (isDelayed || !isInReach || !isFree(volume, wish)) continue
    if (!best || isSmaller(volume, best)) best = volume
  }
  return best
}

interface Wish {
  readonly modes: readonly string[]
  readonly volumeMode: string
  readonly storage: Quantity
  readonly className: string
  readonly selects: (labels: Readonly<Record<string, string>> | undefined) => boolean
}

function wishOf(claim: KubeObject): Wish {
  const { accessModes = [], volumeMode = 'Filesystem', resources, selector } = claimSpecOf(claim)
  const compiled = selector && compileSelector(selector)
  return {
    modes: accessModes,
    volumeMode,
    storage: storageOf(resources?.requests),
    className: classOf(claim) ?? '',
    selects: (labels) => !compiled || (compiled.ok && matchesLabels(compiled.value, labels)),
  }
}

function isEnough(volume: KubeObject, { modes, volumeMode, storage }: Wish): boolean {
  const { capacity, accessModes = [], volumeMode: mode = 'Filesystem' } = volumeSpecOf(volume)
  return (
    mode === volumeMode &&
    volume.metadata.deletionTimestamp === undefined &&
    modes.every((one) => accessModes.includes(one)) &&
    compareQuantity(storageOf(capacity), storage) >= 0
  )
}

function isFree(volume: KubeObject, { className, selects }: Wish): boolean {
  const { claimRef, storageClassName = '' } = volumeSpecOf(volume)
  return (
    claimRef === undefined &&
    volumeStatusOf(volume).phase === 'Available' &&
    storageClassName === className &&
    selects(volume.metadata.labels)
  )
}

/** Fewer access modes come first, then less storage, then the name. */
function isSmaller(a: KubeObject, b: KubeObject): boolean {
  const [left, right] = [volumeSpecOf(a), volumeSpecOf(b)]
  const modes = (left.accessModes?.length ?? 0) - (right.accessModes?.length ?? 0)
  const size = modes || compareQuantity(storageOf(left.capacity), storageOf(right.capacity))
  return size < 0 || (size === 0 && (a.metadata.name ?? '') < (b.metadata.name ?? ''))
}

/** What keeps a volume that a claim names from being its volume, in the words of an Event. */
export function mismatch(volume: KubeObject, claim: KubeObject): string | undefined {
  const [spec, wanted] = [volumeSpecOf(volume), claimSpecOf(claim)]
  if (compareQuantity(storageOf(spec.capacity), storageOf(wanted.resources?.requests)) < 0)
    return 'requested PV is too small'
  if ((spec.storageClassName ?? '') !== (classOf(claim) ?? '')) return 'storageClassName does not match'
  if ((spec.volumeMode ?? 'Filesystem') !== (wanted.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode'
  if (!(wanted.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))) return 'incompatible accessMode'
  return undefined
}

const termOf = ({ matchExpressions = [], matchFields = [] }: RawTerm) => ({
  matchExpressions: matchExpressions.map((one) => ({ ...one, values: one.values ?? [] })),
  matchFields: matchFields.map((one) => ({ ...one, values: one.values ?? [] })),
})

/** Tells whether a volume can be used on a node. */
export function isReachable(volume: KubeObject, node: NodeState): boolean {
  const terms = volumeSpecOf(volume).nodeAffinity?.required?.nodeSelectorTerms
  return terms === undefined || terms.some((term) => matchesTerm(termOf(term), node))
}

/** Tells whether a class may make volumes for a node. */
export function isAllowedBy(storage: StorageClass, node: NodeState): boolean {
  const { allowedTopologies = [] } = storage
  if (allowedTopologies.length === 0) return true
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchesTerm(termOf({ matchExpressions: matchLabelExpressions.map((one) => ({ ...one, operator: 'In' })) }), node),
  )
}
