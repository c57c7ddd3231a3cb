import { parseCron, type Schedule } from '../../../lib/cron.ts'
import { millisecondsOf, parseDuration } from '../../../lib/duration.ts'
import { textOf } from '../../../lib/fields.ts'
import { findZone } from '../../../lib/go-zone.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'

/** Upstream waits whole seconds, and at least one (robfig/cron v3, ConstantDelaySchedule). */
const SHORTEST_MS = 1_000

/** Reads `schedule` (five fields, in `timezone`), or else `interval`. */
export function readSchedule(spec: Readonly<Record<string, unknown>>): Result<Schedule> {
  const [schedule, interval, timezone] = ['schedule', 'interval', 'timezone'].map((name) => textOf(spec, name))
  if (timezone && !findZone(timezone)) return invalid('timezone', `there is no time zone ${quote(timezone)}`)
  if (schedule) {
    if (schedule.trim().startsWith('@')) return invalid('schedule', `${quote(schedule)} is not read: write five fields`)
    const read = parseCron(schedule, timezone || undefined)
    return read.ok ? read : invalid('schedule', read.error[0]?.message ?? 'cannot be read')
  }
  if (!interval) return invalid('', 'must have either schedule or interval')
  const read = parseDuration(interval)
  if (!read.ok) return invalid('interval', `${quote(interval)} is not a duration such as 10s`)
  const delayMs = Math.max(SHORTEST_MS, Math.floor(millisecondsOf(read.value) / SHORTEST_MS) * SHORTEST_MS)
  return succeed({ next: (afterMs) => Math.floor(afterMs / SHORTEST_MS) * SHORTEST_MS + delayMs })
}

const invalid = (at: string, message: string): Result<never> => fail({ code: 'event-source-invalid', at, message })
const quote = (text: string): string => JSON.stringify(text.slice(0, 60))
