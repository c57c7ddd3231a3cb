import { compilePattern } from '../../../lib/re2.ts'
import type { Call, Expr } from '../syntax/ast.ts'
import { parseDuration } from '../value/duration.ts'
import { parseTimestamp } from '../value/timestamp.ts'

const textOf = (expr: Expr | undefined): string | undefined =>
  expr?.kind === 'literal' && typeof expr.value === 'string' ? expr.value : undefined

/** Functions whose literal argument can be judged before anything runs. */
const checks: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['matches', (text: string) => compilePattern(text).ok],
  ['find', (text: string) => compilePattern(text).ok],
  ['findAll', (text: string) => compilePattern(text).ok],
  ['duration', (text: string) => parseDuration(text) !== undefined],
  ['timestamp', (text: string) => parseTimestamp(text) !== undefined],
])

/** The mistake in a literal argument, if there is one. */
export function badLiteral(call: Call): { readonly at: number; readonly message: string } | undefined {
  const isValid = checks.get(call.name)
  if (!isValid) return undefined
  const isPattern = call.name === 'matches' || call.name.startsWith('find')
  const arg = isPattern && !call.target ? call.args[1] : call.args[0]
  const text = textOf(arg)
  if (!arg || text === undefined || isValid(text)) return undefined
  return { at: arg.at, message: `invalid ${call.name} argument` }
}
