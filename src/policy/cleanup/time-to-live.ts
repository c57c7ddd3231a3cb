import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import type { KubeObject } from '../../kube/object.ts'

/** The label that says how long an object lives, or until when. */
export const TTL_LABEL = 'cleanup.kyverno.io/ttl'

const MOMENT = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):?(\d{2}):?(\d{2})Z)?$/

/** When an object's time is over, in milliseconds; undefined when its label cannot be read, or there is none. */
export function endOfLife({ metadata }: KubeObject): number | undefined {
  const text = metadata.labels?.[TTL_LABEL]
  if (text === undefined) return undefined
  const moment = MOMENT.exec(text)
  if (moment) {
    const [, year, month, day, hour = '0', minute = '0', second = '0'] = moment
    const atMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
    return new Date(atMs).getUTCDate() === Number(day) ? atMs : undefined
  }
  const duration = parseDays(text)
  const createdMs = Date.parse(metadata.creationTimestamp ?? '')
  return duration === undefined || duration < 0 || Number.isNaN(createdMs) ? undefined : createdMs + duration
}

/** A duration as Go writes it, or with days: `1d`, `2d12h`. */
function parseDays(text: string): number | undefined {
  const days = /^(\d+)d(.*)$/.exec(text)
  const rest = days ? (days[2] ?? '') : text
  const parsed = rest === '' && days ? undefined : parseDuration(rest)
  if (parsed && !parsed.ok) return undefined
  return Number(days?.[1] ?? 0) * 24 * 60 * 60 * 1_000 + (parsed?.ok ? millisecondsOf(parsed.value) : 0)
}
