import { quoteString } from '../../../lib/go-string.ts'
import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import { fn, type FunctionTable } from '../function.ts'
import { Failure, failWith, type GoFunction, NIL_STRINGS, stringList, withType } from '../value.ts'

/** One match: its bounds and those of its groups, -1 where a group took no part. */
interface Match {
  readonly start: number
  readonly end: number
  readonly groups: readonly (string | undefined)[]
}

function compile(source: string, isMust: boolean): Pattern | Failure {
  const compiled = compilePattern(source)
  if (compiled.ok) return compiled.value
  const message = compiled.error[0]?.message ?? ''
  const because = message.slice(Math.max(message.indexOf('error parsing regexp'), 0))
  // MustCompile panics with the pattern in it; the `must` functions give the plain error.
  return failWith(isMust ? because : `regexp: Compile(${literal(source)}): ${because}`)
}

const literal = (source: string): string =>
  /^[^`\p{Cc}\u007f]*$/u.test(source) ? `\`${source}\`` : quoteString(source)

/** Every match as Go's All functions find them: an empty match right after a match does not count. */
function matchesOf(pattern: Pattern, text: string, limit: number): readonly Match[] {
  const matcher = pattern.matcher(text)
  const found: Match[] = []
  const count = limit < 0 ? Number.POSITIVE_INFINITY : limit
  let from = 0
  let lastEnd = -1
  while (found.length < count && from <= text.length && matcher.find(from)) {
    const start = matcher.start()
    const end = matcher.end()
    if (end > start || start !== lastEnd) {
      const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? undefined)
      found.push({ start, end, groups })
    }
    lastEnd = end
    from = end > start ? end : end + characterLength(text, end)
  }
  return found
}

const characterLength = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)

const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu

/** Fills $1, ${1}, $name and ${name} into a replacement; unknown ones are empty, `$$` is a dollar. */
function expand(replacement: string, match: Match, names: Readonly<Record<string, number>>): string {
  return replacement.replaceAll(REFERENCE, (whole: string, braced: string | undefined, bare: string | undefined) => {
    if (whole === '$$') return '$'
    const name = braced ?? bare ?? ''
    const index = /^\d+$/.test(name) ? Number(name) : Object.hasOwn(names, name) ? names[name] : undefined
    return index === undefined ? '' : (match.groups[index] ?? '')
  })
}

function replaceAll(pattern: Pattern, text: string, fill: (match: Match) => string): string {
  let made = ''
  let at = 0
  for (const match of matchesOf(pattern, text, -1)) {
    made += text.slice(at, match.start) + fill(match)
    at = match.end
  }
  return made + text.slice(at)
}

/** regexp.Split: at most `limit` parts; a match at the very start that is empty does not cut. */
function splitBy(pattern: Pattern, text: string, limit: number): unknown {
  if (limit === 0) return withType([], NIL_STRINGS)
  if (pattern.pattern() !== '' && text === '') return stringList([''])
  const parts: string[] = []
  let start = 0
  let end = 0
  for (const match of matchesOf(pattern, text, limit)) {
    if (limit > 0 && parts.length === limit - 1) break
    end = match.start
    if (match.end !== 0) parts.push(text.slice(start, end))
    start = match.end
  }
  if (end !== text.length) parts.push(text.slice(start))
  return stringList(parts)
}

const namesOf = (pattern: Pattern): Readonly<Record<string, number>> => pattern.namedGroups()

function findAll(pattern: Pattern, text: string, limit: number): unknown {
  const found = matchesOf(pattern, text, limit)
  return found.length === 0 ? withType([], NIL_STRINGS) : stringList(found.map((match) => match.groups[0] ?? ''))
}

const using = (source: string, isMust: boolean, call: (pattern: Pattern) => unknown): unknown => {
  const pattern = compile(source, isMust)
  return pattern instanceof Failure ? pattern : call(pattern)
}

/** Replaces every match as Go's ReplaceAllString does, with `$1` and `${name}` filled in. */
export function replacePattern(pattern: Pattern, text: string, replacement: string): string {
  const names = namesOf(pattern)
  return replaceAll(pattern, text, (match) => expand(replacement, match, names))
}

const find = (isMust: boolean): GoFunction =>
  fn(['string', 'string'], 'any', (source, text) =>
    using(source, isMust, (pattern) => matchesOf(pattern, text, 1)[0]?.groups[0] ?? ''),
  )
const all = (isMust: boolean): GoFunction =>
  fn(['string', 'string', 'int'], 'any', (source, text, limit) =>
    using(source, isMust, (pattern) => findAll(pattern, text, limit)),
  )
const replace = (isMust: boolean): GoFunction =>
  fn(['string', 'string', 'string'], 'any', (source, text, replacement) =>
    using(source, isMust, (pattern) => replacePattern(pattern, text, replacement)),
  )
const replaceLiteral = (isMust: boolean): GoFunction =>
  fn(['string', 'string', 'string'], 'any', (source, text, replacement) =>
    using(source, isMust, (pattern) => replaceAll(pattern, text, () => replacement)),
  )
const split = (isMust: boolean): GoFunction =>
  fn(['string', 'string', 'int'], 'any', (source, text, limit) =>
    using(source, isMust, (pattern) => splitBy(pattern, text, limit)),
  )
const match = (source: string, text: string): unknown => using(source, true, (pattern) => pattern.matcher(text).find())

/** Regular expressions in RE2's syntax. */
export const regexes: FunctionTable = {
  regexMatch: fn(['string', 'string'], 'any', (source, text) => match(source, text) === true),
  mustRegexMatch: fn(['string', 'string'], 'any', match),
  regexFind: find(false),
  mustRegexFind: find(true),
  regexFindAll: all(false),
  mustRegexFindAll: all(true),
  regexReplaceAll: replace(false),
  mustRegexReplaceAll: replace(true),
  regexReplaceAllLiteral: replaceLiteral(false),
  mustRegexReplaceAllLiteral: replaceLiteral(true),
  regexSplit: split(false),
  mustRegexSplit: split(true),
  regexQuoteMeta: fn(['string'], 'any', (text) => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
}
