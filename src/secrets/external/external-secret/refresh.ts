import { parseCron } from '../../../lib/cron.ts'
import type { ExternalSecret, SyncWindows } from '../spec/external-secret.ts'
import { versionOf } from './hashes.ts'

/** Whether a store is to be asked now, and why; or when it will be. */
export type RefreshPlan =
  | { readonly do: 'refresh'; readonly because: string }
  | { readonly do: 'rest'; readonly because: string; readonly untilMs?: number }

/** What the decision needs besides the ExternalSecret. */
export interface RefreshFacts {
  readonly nowMs: number
  /** Something it was made from has changed since it was read, as far as is known. */
  readonly isStale: boolean
  /** The Secret is there and holds what was written. */
  readonly isTargetIntact: boolean
}

const HOUR_MS = 3_600_000

/** Decides by refreshPolicy, refreshInterval and syncWindows, as External Secrets does; a change in the store counts as due. */
export function planRefresh(secret: ExternalSecret, facts: RefreshFacts): RefreshPlan {
  const { spec, status } = secret.parsed
  if (!facts.isTargetIntact && spec.target.creationPolicy !== 'Orphan') {
    return { do: 'refresh', because: 'the target is missing or was changed by others' }
  }
  const refreshedMs = Date.parse(status.refreshTime)
  const isNew = status.syncedResourceVersion === '' || Number.isNaN(refreshedMs)
  if (isNew) return { do: 'refresh', because: 'it was never synced' }
  if (spec.refreshPolicy === 'CreatedOnce') return { do: 'rest', because: 'refreshPolicy is CreatedOnce' }
  const isChanged = status.syncedResourceVersion !== versionOf(secret.metadata)
  if (spec.refreshPolicy === 'OnChange') {
    return isChanged ? CHANGED : { do: 'rest', because: 'refreshPolicy is OnChange, and nothing changed' }
  }
  if (spec.refreshIntervalMs <= 0) return { do: 'rest', because: 'refreshInterval is 0' }
  if (isChanged) return CHANGED
  if (refreshedMs > facts.nowMs) return { do: 'refresh', because: 'it was refreshed in the future' }
  const dueMs = refreshedMs + spec.refreshIntervalMs
  if (!facts.isStale && dueMs > facts.nowMs)
    return { do: 'rest', because: 'refreshInterval has not passed', untilMs: dueMs }
  if (mayRefresh(spec.syncWindows, facts.nowMs)) {
    return { do: 'refresh', because: facts.isStale ? 'what it is made from has changed' : 'refreshInterval has passed' }
  }
  return {
    do: 'rest',
    because: 'its syncWindows do not allow it now',
    untilMs: nextChance(spec.syncWindows, facts.nowMs),
  }
}

const CHANGED: RefreshPlan = { do: 'refresh', because: 'the ExternalSecret has changed' }

/** When it is looked at again after it was refreshed; undefined where it rests until something changes. */
export function nextRefresh(secret: ExternalSecret, refreshedMs: number): number | undefined {
  const { refreshPolicy, refreshIntervalMs } = secret.parsed.spec
  return refreshPolicy === 'Periodic' && refreshIntervalMs > 0 ? refreshedMs + refreshIntervalMs : undefined
}

/** Whether windows allow to refresh at a time; a schedule that cannot be read is no window. */
export function mayRefresh(windows: SyncWindows | undefined, nowMs: number): boolean {
  if (!windows) return true
  const isOpen = windows.windows.some(({ schedule, durationMs }) => {
    const cron = parseCron(schedule)
    const opened = cron.ok ? cron.value.next(nowMs - durationMs - 1_000) : undefined
    return opened !== undefined && opened <= nowMs && nowMs <= opened + durationMs
  })
  return windows.kind === 'deny' ? !isOpen : isOpen
}

/** A time at which it is worth to look again: the next time a window opens or closes, or in an hour. */
function nextChance(windows: SyncWindows | undefined, nowMs: number): number {
  const times = (windows?.windows ?? []).flatMap(({ schedule, durationMs }) => {
    const cron = parseCron(schedule)
    if (!cron.ok) return []
    const opened = cron.value.next(nowMs - durationMs - 1_000)
    return [opened, opened === undefined ? undefined : opened + durationMs + 1_000, cron.value.next(nowMs)]
  })
  return Math.min(nowMs + HOUR_MS, ...times.filter((time) => time !== undefined).filter((time) => time > nowMs))
}
