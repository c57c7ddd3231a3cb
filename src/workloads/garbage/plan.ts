import type { OwnerReference } from '../../kube/object.ts'
import type { Node } from './graph.ts'

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** Everything that the fate of one object depends on. */
export interface Observed {
  readonly node: Node
  /** What is known of each owner, by uid. */
  readonly owners: ReadonlyMap<string, OwnerState>
  readonly dependents: readonly Node[]
}

/** An owner is there, is waiting for its dependents to go first, or is gone (or another object has its name by now). */
export type OwnerState = 'alive' | 'waiting' | 'gone'

export type Action = { readonly because: string } & (
  | { readonly do: 'delete'; readonly node: Node; readonly propagation: 'Foreground' | 'Background' | 'Orphan' }
  | { readonly do: 'remove-owners'; readonly node: Node; readonly uids: readonly string[] }
  | { readonly do: 'unblock-owners'; readonly node: Node }
  | { readonly do: 'remove-finalizer'; readonly node: Node; readonly finalizer: string }
)

const isBlocking = (dependent: Node, owner: Node): boolean =>
  dependent.owners.some(({ uid, blockOwnerDeletion }) => uid === owner.uid && blockOwnerDeletion === true)

/** Decides what has to happen because of owner references; an empty list means that all is as it should be. */
export function planGarbage(seen: Observed): readonly Action[] {
  const { node } = seen
  if (node.isDeleting) {
    if (node.finalizers.includes(ORPHAN)) return planOrphaning(seen)
    if (node.finalizers.includes(FOREGROUND)) return planForeground(seen)
    return []
  }
  return node.owners.length === 0 ? [] : planOwned(seen)
}

/** An owner that leaves its dependents behind: they forget it, then it may go. */
function planOrphaning({ node, dependents }: Observed): readonly Action[] {
  if (dependents.length === 0)
    return [{ do: 'remove-finalizer', node, finalizer: ORPHAN, because: 'no dependent is left that refers to it' }]
  return dependents.map((dependent) => ({
    do: 'remove-owners',
    node: dependent,
    uids: [node.uid],
    because: `${node.name} was deleted and orphans its dependents`,
  }))
}

/** An owner that goes last: dependents that block it are deleted, then it may go. */
function planForeground({ node, dependents }: Observed): readonly Action[] {
  const blocking = dependents.filter((dependent) => isBlocking(dependent, node))
  if (blocking.length === 0)
    return [{ do: 'remove-finalizer', node, finalizer: FOREGROUND, because: 'no dependent blocks its deletion' }]
  return blocking
    .filter((dependent) => !dependent.isDeleting && dependent.owners.every(({ uid }) => uid === node.uid))
    .map((dependent) => ({
      do: 'delete',
      node: dependent,
      propagation: 'Foreground',
      because: `its owner ${node.name} is deleted in the foreground`,
    }))
}

/** A dependent: it stays while one owner lives, and goes when the last one is gone. */
function planOwned({ node, owners, dependents }: Observed): readonly Action[] {
  const inState = (state: OwnerState): readonly OwnerReference[] =>
    node.owners.filter(({ uid }) => (owners.get(uid) ?? 'gone') === state)
  const [alive, waiting, gone] = [inState('alive'), inState('waiting'), inState('gone')]
  if (alive.length > 0) {
    const superfluous = [...gone, ...waiting].map(({ uid }) => uid)
    return superfluous.length === 0
      ? []
      : [{ do: 'remove-owners', node, uids: superfluous, because: 'another owner keeps it' }]
  }
  if (waiting.length > 0 && dependents.length > 0) {
    const unblock: readonly Action[] = dependents.some(
      (dependent) => dependent.isDeleting && dependent.finalizers.includes(FOREGROUND),
    )
      ? [{ do: 'unblock-owners', node, because: 'it waits in a circle of owners' }]
      : []
    return [
      ...unblock,
      { do: 'delete', node, propagation: 'Foreground', because: 'its owners wait for it to be deleted' },
    ]
  }
  const propagation = node.finalizers.includes(ORPHAN)
    ? 'Orphan'
    : node.finalizers.includes(FOREGROUND)
      ? 'Foreground'
      : 'Background'
  const because =
    waiting.length > 0
      ? 'its owners wait for it to be deleted'
      : `its ${node.owners.length === 1 ? 'owner is' : 'owners are'} gone`
  return [{ do: 'delete', node, propagation, because }]
}
