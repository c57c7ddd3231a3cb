import type { Json, JsonArray, JsonObject } from '../../../lib/json.ts'
import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import { JqError } from '../error.ts'
import type { Run } from '../run.ts'
import { isArray, shownValue, typeOf } from '../value.ts'

/** A pattern with its flags, as a program gives them: the pattern may be `[pattern, flags]`. */
export interface Asked {
  readonly pattern: Json
  readonly flags: Json
}

interface Compiled {
  readonly pattern: Pattern
  readonly isGlobal: boolean
  readonly skipsEmpty: boolean
  readonly names: readonly (string | null)[]
}

function compiled({ pattern, flags }: Asked): Compiled {
  if (isArray(pattern)) return compiled({ pattern: pattern[0] ?? null, flags: pattern[1] ?? flags })
  if (typeof pattern !== 'string')
    throw new JqError(`${typeOf(pattern)} (${shownValue(pattern)}) cannot be matched, as it is not a string`)
  if (flags !== null && typeof flags !== 'string') throw new JqError(`${shownValue(flags)} is not a string of flags`)
  const letters = flags ?? ''
  const wrong = /[^gimnpslx]/.exec(letters)
  if (wrong) throw new JqError(`${letters} is not a valid modifier string`)
  const inline = [letters.includes('i') ? 'i' : '', /[sp]/.test(letters) ? 's' : ''].join('')
  const source = letters.includes('x')
    ? pattern.replace(/\\.|\s+|#[^\n]*/g, (part) => (part.startsWith('\\') ? part : ''))
    : pattern
  const made = compilePattern(inline === '' ? source : `(?${inline})${source}`)
  if (!made.ok)
    throw new JqError(`${shownValue(pattern)} (at offset 0) is not a valid regex: ${made.error[0]?.message ?? ''}`)
  const names: (string | null)[] = Array.from({ length: made.value.groupCount() }, () => null)
  for (const [name, index] of Object.entries(made.value.namedGroups())) names[Number(index) - 1] = name
  return { pattern: made.value, isGlobal: letters.includes('g'), skipsEmpty: letters.includes('n'), names }
}

interface Found {
  readonly start: number
  readonly end: number
  /** Start and end of each group; -1 where it took no part. */
  readonly groups: readonly (readonly [number, number])[]
}

function textOfInput(input: Json): string {
  if (typeof input === 'string') return input
  throw new JqError(`${typeOf(input)} (${shownValue(input)}) cannot be matched, as it is not a string`)
}

function* search(text: string, { pattern, isGlobal, skipsEmpty, names }: Compiled, run: Run): Generator<Found> {
  const matcher = pattern.matcher(text)
  for (let from = 0; from <= text.length && matcher.find(from);) {
    run.make(32)
    const start = matcher.start()
    const end = matcher.end()
    if (!(skipsEmpty && start === end))
      yield { start, end, groups: names.map((_, at) => [matcher.start(at + 1), matcher.end(at + 1)]) }
    if (!isGlobal) return
    from = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1)
  }
}

const pointsIn = (text: string, start: number, end: number): number => {
  let count = 0
  for (const _ of text.slice(start, end)) count++
  return count
}

/** What `match` says of every place where a pattern matches. */
export function matchesOf(input: Json, asked: Asked, run: Run): JsonArray {
  const text = textOfInput(input)
  const expression = compiled(asked)
  const found: Json[] = []
  for (const { start, end, groups } of search(text, expression, run)) {
    const captures = groups.map(([from, to], at): Json => {
      const name = expression.names[at] ?? null
      if (from < 0) return { offset: -1, length: 0, string: null, name }
      return { offset: pointsIn(text, 0, from), length: pointsIn(text, from, to), string: text.slice(from, to), name }
    })
    const offset = pointsIn(text, 0, start)
    found.push({ offset, length: pointsIn(text, start, end), string: text.slice(start, end), captures })
  }
  return found
}

/** Tells whether a pattern matches somewhere. */
export function isMatch(input: Json, asked: Asked, run: Run): boolean {
  const text = textOfInput(input)
  run.make(text.length)
  return compiled(asked).pattern.matcher(text).find()
}

/** The text with what matches replaced, once for every combination of replacements. */
export function substituted(
  input: Json,
  asked: Asked,
  replacements: (captures: JsonObject) => readonly string[],
  run: Run,
): readonly string[] {
  const text = textOfInput(input)
  const expression = compiled(asked)
  let texts: readonly string[] = ['']
  let at = 0
  for (const { start, end, groups } of search(text, expression, run)) {
    const captures: Record<string, Json> = {}
    for (const [index, [from, to]] of groups.entries()) {
      const name = expression.names[index]
      if (typeof name === 'string') captures[name] = from < 0 ? null : text.slice(from, to)
    }
    const between = text.slice(at, start)
    texts = replacements(captures).flatMap((replacement) =>
      texts.map((made) => {
        run.make(made.length + between.length + replacement.length)
        return made + between + replacement
      }),
    )
    at = end
  }
  return texts.map((made) => made + text.slice(at))
}
