import { parseCron } from '../../lib/cron.ts'
import { explain, fail, type Result, succeed } from '../../lib/result.ts'
import { type CertificateSpec, durationMs, type RenewalWindow } from '../objects.ts'

/** From when until when something holds. */
export interface Validity {
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/**
 * When a certificate is renewed, to the second: so long before its end as the spec says, else after two thirds of its life;
 * moved into a window where there are windows. Undefined where it is never renewed.
 */
export function renewalTime(validity: Validity, spec: CertificateSpec): Result<number | undefined> {
  if (spec.renewal?.policy === 'Disabled') return succeed(undefined)
  const wanted = Math.floor((validity.notAfterMs - renewBeforeMs(validity, spec)) / 1_000) * 1_000
  const windows = spec.renewal?.windows ?? []
  return windows.length === 0 ? succeed(wanted) : inWindows(wanted, validity, windows)
}

function renewBeforeMs({ notBeforeMs, notAfterMs }: Validity, spec: CertificateSpec): number {
  const lifeMs = notAfterMs - notBeforeMs
  const before = durationMs(spec.renewBefore)
  const percentage = spec.renewBeforePercentage
  if (before !== undefined && before > 0 && before < lifeMs) return before
  if (percentage !== undefined && percentage > 0 && percentage < 100) return (lifeMs * percentage) / 100
  return lifeMs / 3
}

/** The wanted time where a window is open then, else the next time that one opens. */
function inWindows(wanted: number, validity: Validity, windows: readonly RenewalWindow[]): Result<number> {
  const refuse = (message: string): Result<number> => fail({ code: 'renewal-window-unusable', message })
  const times: number[] = []
  for (const window of windows) {
    const schedule = parseCron(window.cron, window.timezone || undefined)
    if (!schedule.ok) return refuse(`error parsing cron in window: ${schedule.error.map(explain).join('; ')}`)
    const openMs = durationMs(window.windowDuration) ?? 0
    if (openMs <= 0) return refuse('windowDuration must be a positive duration in window')
    const last = schedule.value.next(wanted - openMs)
    if (last !== undefined && last <= wanted) return succeed(wanted)
    const next = schedule.value.next(wanted - 1_000)
    if (next !== undefined && next <= validity.notAfterMs + openMs) times.push(next)
  }
  if (times.length > 0) return succeed(Math.min(...times))
  return refuse(
    `no window opens between ${isoOf(wanted)} and the end of the certificate at ${isoOf(validity.notAfterMs)}`,
  )
}

const isoOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
