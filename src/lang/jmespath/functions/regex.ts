import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathFunction } from '../function.ts'
import type { Run } from '../run.ts'
import { scalarText, textAt } from './argument.ts'
import { fn } from './specification.ts'

/** Longer patterns are refused before they are compiled. */
const LONGEST_PATTERN = 10_000

function patternOf(name: string, source: string): Pattern {
  if (source.length > LONGEST_PATTERN) throw wrongValue(`${name}(): the pattern is longer than ${LONGEST_PATTERN}`)
  const pattern = compilePattern(source)
  if (!pattern.ok) throw wrongValue(`${name}(): ${pattern.error[0]?.message ?? 'the pattern is wrong'}`)
  return pattern.value
}

interface Match {
  readonly start: number
  readonly end: number
  readonly group: (index: number) => string
}

const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu

/** `$1`, `${1}` and `${name}` stand for groups, `$$` for a dollar; a group that is not there is empty. */
function filler(pattern: Pattern, template: string): (match: Match) => string {
  const names = pattern.namedGroups()
  return ({ group }) =>
    template.replaceAll(REFERENCE, (whole: string, braced: string | undefined, bare: string | undefined) => {
      if (whole === '$$') return '$'
      const name = braced ?? bare ?? ''
      if (/^\d+$/.test(name)) return Number(name) <= pattern.groupCount() ? group(Number(name)) : ''
      return Object.hasOwn(names, name) ? group(names[name] ?? 0) : ''
    })
}

const after = (text: string, at: number): number => at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)

/** Replaces every match; an empty match right after a match does not count, as in Go. */
function replaceMatches(pattern: Pattern, text: string, fill: (match: Match) => string, run: Run): string {
  const matcher = pattern.matcher(text)
  const group = (index: number): string => matcher.group(index) ?? ''
  let made = ''
  let copied = 0
  let lastEnd = -1
  run.charge(text.length)
  for (let from = 0; from <= text.length && matcher.find(from);) {
    const start = matcher.start()
    const end = matcher.end()
    run.charge(4)
    if (end > start || start !== lastEnd) {
      made += text.slice(copied, start) + fill({ start, end, group })
      run.chargeText(made.length / 64)
      if (made.length > run.longestText) run.chargeText(made.length)
      copied = end
    }
    lastEnd = end
    from = end > start ? end : after(text, end)
  }
  return made + text.slice(copied)
}

const replacing =
  (name: string, fillOf: (pattern: Pattern, template: string) => (match: Match) => string): JmesPathFunction['call'] =>
  (args, run) => {
    const text = scalarText(name, args[1], 2)
    const pattern = patternOf(name, textAt(args, 0))
    return replaceMatches(pattern, text, fillOf(pattern, scalarText(name, args[2], 3)), run)
  }

const SCALAR = ['string', 'number'] as const

/** Kyverno's functions on regular expressions, all of RE2's syntax. */
export const regexFunctions: ReadonlyMap<string, JmesPathFunction> = new Map([
  ['regex_replace_all', fn(['string', SCALAR, SCALAR], replacing('regex_replace_all', filler))],
  [
    'regex_replace_all_literal',
    fn(
      ['string', SCALAR, SCALAR],
      replacing('regex_replace_all_literal', (_pattern, template) => () => template),
    ),
  ],
  [
    'regex_match',
    fn(['string', SCALAR], (args, run) => {
      const text = scalarText('regex_match', args[1], 2)
      run.charge(text.length)
      return patternOf('regex_match', textAt(args, 0)).matcher(text).find()
    }),
  ],
])
