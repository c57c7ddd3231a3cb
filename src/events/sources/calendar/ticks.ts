import type { Schedule } from '../../../lib/cron.ts'
import { textOf } from '../../../lib/fields.ts'
import { findZone, utc, type Zone } from '../../../lib/go-zone.ts'
import type { Exclusions } from './exclusions.ts'

/** The zone that a calendar is read in. */
export const zoneOf = (spec: Readonly<Record<string, unknown>>): Zone => findZone(textOf(spec, 'timezone')) ?? utc

/** So many times in a row that are left out are never; a second's interval passes eleven days so. */
const MOST_SKIPPED = 1_000_000

/** The next time after another that lies on no excluded day; undefined where there is none. */
export function nextTick(
  schedule: Schedule,
  exclusions: Exclusions,
  zone: Zone,
): (afterMs: number) => number | undefined {
  return (afterMs) => {
    let at = schedule.next(afterMs)
    if (exclusions.size === 0) return at
    for (let skipped = 0; skipped < MOST_SKIPPED && at !== undefined; skipped += 1) {
      if (!exclusions.has(dayOf(at, zone))) return at
      at = schedule.next(at)
    }
    return undefined
  }
}

function dayOf(ms: number, zone: Zone): string {
  const { seconds } = zone.at(Math.floor(ms / 1_000))
  return new Date(ms + seconds * 1_000).toISOString().slice(0, 10)
}
