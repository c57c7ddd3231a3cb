import { formatTime } from './time.ts'

/** One aspect of an object's state, as in status.conditions. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly observedGeneration?: number
}

/** The condition of a type, if it is there. */
export function conditionOf<T extends Condition>(conditions: readonly T[] | undefined, type: string): T | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** Tells whether a condition is there and True. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditionOf(conditions, type)?.status === 'True'
}

/**
 * The list with one condition set. The transition time moves only when the status changes, and an unchanged condition
 * gives back the very same list, so that writing it again is no change.
 */
export function setCondition<T extends Condition>(
  conditions: readonly T[] | undefined,
  next: T,
  nowMs: number,
): readonly T[] {
  const before = conditions ?? []
  const at = before.findIndex((condition) => condition.type === next.type)
  const old = before[at]
  if (!old) return [...before, { ...next, lastTransitionTime: next.lastTransitionTime ?? formatTime(nowMs) }]
  const lastTransitionTime = old.status === next.status ? old.lastTransitionTime : formatTime(nowMs)
  const merged = { ...old, ...next, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }
  const same = (Object.keys(merged) as (keyof T)[]).every((key) => merged[key] === old[key])
  return same ? before : before.with(at, merged)
}

/** The list without one type. */
export function withoutCondition<T extends Condition>(
  conditions: readonly T[] | undefined,
  type: string,
): readonly T[] {
  const before = conditions ?? []
  return before.some((condition) => condition.type === type)
    ? before.filter((condition) => condition.type !== type)
    : before
}
