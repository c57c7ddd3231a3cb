import { patternCost } from '../cost/size.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'
import { matchesOf, patternOf } from '../library/pattern.ts'
import type { Int } from '../value/integer.ts'

function find(text: string, source: string): string {
  for (const match of matchesOf(patternOf(source), text, 1)) return match.groups[0] ?? ''
  return ''
}

function findAll(text: string, source: string, limit: Int = -1): readonly string[] {
  const count = limit < 0 ? Infinity : Number(limit)
  return [...matchesOf(patternOf(source), text, count)].map((match) => match.groups[0] ?? '')
}

const cost: CostRule = (text, pattern) => patternCost(text, pattern)

/** `find` and `findAll`. */
export const findLibrary: Library = {
  name: 'kubernetes.regex',
  overloads: [
    overload('string_find_string', 'string -> find(string): string', find, cost),
    overload('string_find_all_string', 'string -> findAll(string): list<string>', findAll, cost),
    overload('string_find_all_string_int', 'string -> findAll(string, int): list<string>', findAll, cost),
  ],
}
