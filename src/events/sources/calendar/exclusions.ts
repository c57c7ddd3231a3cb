import { fail, type Result, succeed } from '../../../lib/result.ts'

/** Days on which a calendar is silent, as `year-month-day`. */
export type Exclusions = ReadonlySet<string>

const PREFIX = 'EXDATE:'

/**
 * Reads exclusion dates: of RFC 5545, upstream reads `EXDATE:` with times in UTC and leaves out every other line
 * (argo-events v1.9, recurrence.go). A line that would be left out is refused here: it looks as if it did something.
 */
export function readExclusions(lines: readonly string[]): Result<Exclusions> {
  const days = new Set<string>()
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith(PREFIX))
      return refuse(index, `${quote(line)} is not EXDATE: with times, the only rule that is read`)
    for (const text of line.slice(PREFIX.length).split(',')) {
      const day = dayOf(text)
      if (day === undefined) return refuse(index, `${quote(text)} is not a time such as 20260102T000000Z`)
      days.add(day)
    }
  }
  return succeed(days)
}

function dayOf(text: string): string | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  if (year === undefined) return undefined
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const ms = Date.parse(iso)
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : `${year}-${month}-${day}`
}

const refuse = (index: number, message: string): Result<never> =>
  fail({ code: 'event-source-invalid', at: `[${index}]`, message })
const quote = (text: string): string => JSON.stringify(text.slice(0, 60))
