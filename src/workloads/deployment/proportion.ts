import type { KubeObject } from '../../kube/object.ts'

/** A set that takes part in a rollout that is under way. */
export interface Share {
  readonly set: KubeObject
  readonly size: number
  /** How many Pods the whole Deployment was allowed when the set got its size. */
  readonly madeFor: number
}

/** Gives each set its part of a change of size; the largest takes what rounding leaves. */
export function proportionally(
  shares: readonly Share[],
  allowed: number,
): readonly { readonly set: KubeObject; readonly size: number }[] {
  const total = shares.reduce((sum, { size }) => sum + size, 0)
  const toSpread = allowed - total
  if (toSpread === 0) return shares
  const largestFirst = shares.toSorted(
    (a, b) => b.size - a.size || (toSpread > 0 ? youngerFirst(a, b) : youngerFirst(b, a)),
  )
  let left = toSpread
  const resized = largestFirst.map(({ set, size, madeFor }) => {
    const exact = Math.round((size * allowed) / Math.max(1, madeFor)) - size
    const part = toSpread > 0 ? Math.min(Math.max(exact, 0), left) : Math.max(Math.min(exact, 0), left, -size)
    left -= part
    return { set, size: size + part }
  })
  return resized.map(({ set, size }, at) => ({ set, size: at === 0 ? Math.max(0, size + left) : size }))
}

function youngerFirst(a: Share, b: Share): number {
  const [left = '', right = ''] = [a.set.metadata.creationTimestamp, b.set.metadata.creationTimestamp]
  return left > right ? -1 : left < right ? 1 : 0
}
