import { fail, type Result, succeed } from '../lib/result.ts'

/** Values as one line of CSV, with quotes where they are needed. */
export const joinCsv = (values: readonly string[]): string =>
  values.map((value) => (/[",\r\n]|^\s|^\\\.$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')

/** The values of one line of CSV (RFC 4180, as Go reads it). */
export function splitCsv(line: string): Result<readonly string[]> {
  const refuse = (because: string): Result<readonly string[]> =>
    fail({ code: 'csv-invalid', message: `failed to parse ${JSON.stringify(line.slice(0, 200))} as CSV: ${because}` })
  if (line.trim() === '') return refuse('no values found')
  const values: string[] = []
  for (let at = 0; at <= line.length;) {
    if (line[at] === '"') {
      const found = /"((?:[^"]|"")*)"(?=,|$)/y
      found.lastIndex = at
      const quoted = found.exec(line)
      if (!quoted) return refuse('a quoted value does not end')
      values.push((quoted[1] ?? '').replaceAll('""', '"'))
      at = found.lastIndex + 1
    } else {
      const comma = line.indexOf(',', at)
      const end = comma < 0 ? line.length : comma
      const value = line.slice(at, end)
      if (value.includes('"')) return refuse('a quote stands inside a value without quotes')
      if (/[\r\n]/.test(value)) return refuse('it has several lines')
      values.push(value)
      at = end + 1
    }
  }
  return succeed(values)
}
