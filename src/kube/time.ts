/** Seconds, as in creationTimestamp: `2026-01-02T03:04:05Z`. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** Microseconds, as in Lease.renewTime: `2026-01-02T03:04:05.000000Z`. */
export function formatMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** Reads an RFC 3339 time into milliseconds; undefined when it is none, or names a day that does not exist. */
export function parseTime(text: string): number | undefined {
  const found = RFC3339.exec(text)
  if (!found) return undefined
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number)
  if (hour === undefined || minute === undefined || second === undefined || hour > 23 || minute > 59 || second > 59)
    return undefined
  const calendar = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day))
  if (calendar.getUTCMonth() !== (month ?? 0) - 1 || calendar.getUTCDate() !== day) return undefined
  const ms = Date.parse(text.toUpperCase())
  return Number.isNaN(ms) ? undefined : ms
}
