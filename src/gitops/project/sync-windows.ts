import { parseCron } from '../../lib/cron.ts'
import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { findZone } from '../../lib/go-zone.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { AppProject, SyncWindow } from './app-project.ts'
import { covers } from './match-rule.ts'

/** What of an Application the windows of its project look at. */
export interface WindowedApplication {
  readonly metadata: { readonly name?: string }
  readonly spec: {
    readonly destination?: { readonly server?: string; readonly name?: string; readonly namespace?: string }
  }
}

/** Whether a window is open, since when or until when. */
export interface WindowState {
  readonly window: SyncWindow
  readonly isActive: boolean
  /** When it closes if it is open, else when it opens; undefined when never. */
  readonly changesAtMs: number | undefined
}

/** May a sync start, and why; where it may not, what would change that. */
export type SyncPermission =
  | { readonly allowed: true; readonly because: string }
  | { readonly allowed: false; readonly because: string; readonly cure: string; readonly untilMs: number | undefined }

/** The windows of a project that concern an Application. */
export function windowsOf(project: AppProject, application: WindowedApplication): readonly SyncWindow[] {
  return project.syncWindows.filter((window) => concerns(window, application))
}

function concerns(window: SyncWindow, { metadata, spec }: WindowedApplication): boolean {
  const { server = '', name = '', namespace = '' } = spec.destination ?? {}
  const byName = window.applications.some((rule) => covers(rule, metadata.name ?? ''))
  const byCluster = window.clusters.some(
    (rule) => (name !== '' && covers(rule, name)) || (server !== '' && covers(rule, server)),
  )
  const byNamespace = window.namespaces.some((rule) => covers(rule, namespace))
  if (!window.andOperator) return byName || byCluster || byNamespace
  const asked = window.applications.length + window.clusters.length + window.namespaces.length > 0
  return (
    asked &&
    (byName || window.applications.length === 0) &&
    (byCluster || window.clusters.length === 0) &&
    (byNamespace || window.namespaces.length === 0)
  )
}

/** What a window is at a time. A zone that does not exist reads as UTC, as upstream. */
export function windowState(window: SyncWindow, nowMs: number): Result<WindowState> {
  const zone = window.timeZone !== '' && findZone(window.timeZone) ? window.timeZone : 'UTC'
  if (/^\s*(@|(CRON_)?TZ=)/.test(window.schedule)) {
    return fail({
      code: 'sync-window-invalid',
      message: `cannot parse schedule '${window.schedule}': five fields are expected`,
    })
  }
  const schedule = parseCron(window.schedule, zone)
  if (!schedule.ok) return schedule
  const duration = parseDuration(window.duration)
  if (!duration.ok) return duration
  const lastsMs = millisecondsOf(duration.value)
  const opensMs = schedule.value.next(nowMs - lastsMs)
  const isActive = opensMs !== undefined && opensMs <= nowMs
  return succeed({
    window,
    isActive,
    changesAtMs: isActive ? opensMs + lastsMs : schedule.value.next(nowMs),
  })
}

/** The windows that are open at a time. */
export function activeWindows(windows: readonly SyncWindow[], nowMs: number): Result<readonly SyncWindow[]> {
  const states = statesOf(windows, nowMs)
  return states.ok ? succeed(states.value.filter((state) => state.isActive).map((state) => state.window)) : states
}

/** What every window is at a time; a window that cannot be read refuses all of them, since guessing could let a sync through. */
export function statesOf(windows: readonly SyncWindow[], nowMs: number): Result<readonly WindowState[]> {
  const states: WindowState[] = []
  for (const window of windows) {
    const state = windowState(window, nowMs)
    if (!state.ok) return state
    states.push(state.value)
  }
  return succeed(states)
}

export interface SyncAttempt {
  readonly nowMs: number
  /** Whether a person asked for the sync. */
  readonly isManual: boolean
  /** When an operation that is under way began: windows with `syncOverrun` let it end. */
  readonly startedAtMs?: number
}

/** Whether the windows that concern an Application let it sync (Argo CD 3.x, types.go CanSync). */
export function canSync(windows: readonly SyncWindow[], attempt: SyncAttempt): Result<SyncPermission> {
  if (windows.length === 0) return succeed({ allowed: true, because: 'no sync window concerns the Application' })
  const states = statesOf(windows, attempt.nowMs)
  if (!states.ok) return states
  const blocked = blockOf(states.value, attempt.isManual)
  if (!blocked) return succeed({ allowed: true, because: allowedBecause(states.value, attempt.isManual) })
  const { startedAtMs } = attempt
  if (startedAtMs !== undefined && blocked.windows.every((window) => window.syncOverrun)) {
    const before = statesOf(windows, startedAtMs)
    if (!before.ok) return before
    if (!blockOf(before.value, attempt.isManual)) {
      return succeed({ allowed: true, because: 'the sync began when it was allowed, and syncOverrun lets it end' })
    }
  }
  return succeed({ allowed: false, ...refusal(blocked) })
}

interface Block {
  readonly kind: 'deny' | 'allow'
  readonly windows: readonly SyncWindow[]
  readonly untilMs: number | undefined
}

/** What stands against a sync: an open window that denies, or only closed ones that allow. */
function blockOf(states: readonly WindowState[], isManual: boolean): Block | undefined {
  const denying = states.filter((state) => state.isActive && state.window.kind === 'deny')
  if (denying.length > 0) return blockUnlessManual('deny', denying, isManual, Math.max)
  const allowing = states.filter((state) => state.window.kind === 'allow')
  if (allowing.length === 0 || allowing.some((state) => state.isActive)) return undefined
  return blockUnlessManual('allow', allowing, isManual, Math.min)
}

function blockUnlessManual(
  kind: 'deny' | 'allow',
  states: readonly WindowState[],
  isManual: boolean,
  choose: (...times: number[]) => number,
): Block | undefined {
  if (isManual && states.every((state) => state.window.manualSync)) return undefined
  const times = states.flatMap((state) => (state.changesAtMs === undefined ? [] : [state.changesAtMs]))
  return {
    kind,
    windows: states.map((state) => state.window),
    untilMs: times.length > 0 ? choose(...times) : undefined,
  }
}

function refusal({ kind, windows, untilMs }: Block): { because: string; cure: string; untilMs: number | undefined } {
  const listed = windows.map(windowText).join(', ')
  const because =
    kind === 'deny' ? `a deny window is open: ${listed}` : `allow windows exist and none is open: ${listed}`
  return {
    because,
    cure: 'wait for the window, change it, or set manualSync: true on it and sync by hand',
    untilMs,
  }
}

function allowedBecause(states: readonly WindowState[], isManual: boolean): string {
  const open = states.find((state) => state.isActive && state.window.kind === 'allow')
  if (open) return `an allow window is open: ${windowText(open.window)}`
  const manual = isManual && states.some((state) => state.isActive === (state.window.kind === 'deny'))
  return manual ? 'the windows in the way allow manual syncs' : 'no deny window is open'
}

const windowText = (window: SyncWindow): string =>
  `${window.kind} "${window.schedule}" for ${window.duration}${window.timeZone === '' ? '' : ` in ${window.timeZone}`}`
