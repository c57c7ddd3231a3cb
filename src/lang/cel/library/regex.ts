import { patternCost, traversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import type { Int } from '../value/integer.ts'
import { none, type Optional, some } from '../value/optional.ts'
import { refuseLong } from '../value/text.ts'
import { type CostRule, type Library, overload } from './library.ts'
import { type Match, matchesOf, patternOf } from './pattern.ts'

/** The replacement for one match: `\1` is a group, `\\` a backslash. */
function expand(replacement: string, match: Match): string {
  return replacement.replaceAll(/\\(.?)/gs, (_, next: string) => {
    if (next === '\\') return '\\'
    if (next === '') throw new EvaluationError(`invalid replacement string: '${replacement}' \\ not allowed at end`)
    if (!/\d/.test(next)) {
      throw new EvaluationError(`invalid replacement string: '${replacement}' \\ must be followed by a digit or \\`)
    }
    const group = Number(next)
    if (group >= match.groups.length) {
      const count = match.groups.length - 1
      throw new EvaluationError(`replacement string references group ${group} but regex has only ${count} group(s)`)
    }
    return match.groups[group] ?? ''
  })
}

function replace(text: string, source: string, replacement: string, limit: Int = -1): string {
  const pattern = patternOf(source)
  const count = limit < 0 ? Infinity : Number(limit)
  const parts: string[] = []
  let [end, length] = [0, 0]
  for (const match of matchesOf(pattern, text, count)) {
    const part = text.slice(end, match.start) + expand(replacement, match)
    length += part.length
    refuseLong(length)
    parts.push(part)
    end = match.end
  }
  return parts.join('') + text.slice(end)
}

function oneGroup(source: string): ReturnType<typeof patternOf> {
  const pattern = patternOf(source)
  if (pattern.groupCount() > 1) {
    throw new EvaluationError(`regular expression has more than one capturing group: ${JSON.stringify(source)}`)
  }
  return pattern
}

function extract(text: string, source: string): Optional {
  const pattern = oneGroup(source)
  for (const match of matchesOf(pattern, text, 1)) {
    if (match.groups.length === 1) return some(match.groups[0] ?? '')
    const group = match.groups[1] ?? ''
    return group === '' ? none : some(group)
  }
  return none
}

function extractAll(text: string, source: string): readonly string[] {
  const found: string[] = []
  for (const match of matchesOf(oneGroup(source), text)) {
    const part = match.groups.at(-1) ?? ''
    if (part !== '' || match.groups.length === 1) found.push(part)
  }
  return found
}

const cost: CostRule = (text, pattern, replacement) =>
  patternCost(text, pattern) + (replacement === undefined ? 0 : traversal(text) * Math.max(traversal(replacement), 1))

/** Regular expressions: replacing and extracting. */
export const regexLibrary: Library = {
  name: 'regex',
  overloads: [
    overload('regex_extract_string_string', 'regex.extract(string, string): optional<string>', extract, cost),
    overload('regex_extractAll_string_string', 'regex.extractAll(string, string): list<string>', extractAll, cost),
    overload('regex_replace_string_string_string', 'regex.replace(string, string, string): string', replace, cost),
    overload(
      'regex_replace_string_string_string_int',
      'regex.replace(string, string, string, int): string',
      replace,
      cost,
    ),
  ],
}
