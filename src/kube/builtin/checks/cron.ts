/** A five-field schedule, `@daily` and its kin, or `@every 1h`: what the schedules of a CronJob may be. */
export function isCronSchedule(text: string): boolean {
  if (text.length > 200) return false
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(text)) return true
  if (text.startsWith('@every ')) return /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text.slice(7))
  const bare = text.replace(/^(?:CRON_TZ|TZ)=\S+\s+/, '')
  const fields = bare.trim().split(/\s+/)
  return fields.length === 5 && fields.every((field, index) => isField(field, ranges[index]))
}

interface Range {
  readonly least: number
  readonly most: number
  readonly names?: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] as const
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const ranges: readonly Range[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: days },
]

function isField(field: string, range: Range | undefined): boolean {
  return range !== undefined && field.split(',').every((part) => isPart(part, range))
}

function isPart(part: string, range: Range): boolean {
  const [span = '', step, more] = part.split('/')
  if (more !== undefined || (step !== undefined && !(/^\d+$/.test(step) && Number(step) > 0))) return false
  if (span === '*' || span === '?') return true
  const [from = '', to, rest] = span.split('-')
  if (rest !== undefined) return false
  const [first, last] = [valueOf(from, range), to === undefined ? undefined : valueOf(to, range)]
  if (first === undefined || (to !== undefined && last === undefined)) return false
  return last === undefined || first <= last
}

function valueOf(text: string, { least, most, names = [] }: Range): number | undefined {
  const named = names.indexOf(text.toLowerCase())
  const value = named >= 0 ? named + (least === 1 ? 1 : 0) : /^\d+$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}
