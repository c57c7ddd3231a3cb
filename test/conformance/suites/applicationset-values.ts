import { isDeepStrictEqual } from 'node:util'

export type Row = Readonly<Record<string, unknown>>

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

/** How the pack writes Go values that JSON has no words for: raw JSON, durations, and errors that are composed. */
export function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded)
  if (!isRow(value)) return value
  if (typeof value['$json'] === 'string') return jsonOf(value['$json'])
  if (value['$call'] === 'time.Duration' && Array.isArray(value['args'])) return Number(value['args'][0])
  if (typeof value['$expr'] === 'string') return { $error: composedError(value['$expr']) }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decoded(item)]))
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // a table may hold raw JSON that is none
  }
}

/** Upstream's errors that rows refer to by name. */
const ERRORS: Readonly<Record<string, string>> = {
  ErrNonUniqueParamSets:
    'the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique',
  ErrNoMergeKeys: 'no merge keys were specified, Merge requires at least one',
  ErrLessThanTwoGeneratorsInMerge: 'found less than two generators, Merge requires two or more',
  ErrLessThanTwoGenerators: 'found less than two generators, Matrix support only two',
  ErrMoreThanTwoGenerators: 'found more than two generators, Matrix support only two',
  ErrMoreThenOneInnerGenerators: 'found more than one generator in matrix.Generators',
  ErrEmptyAppSetGenerator: 'ApplicationSet is empty',
}

/** `fmt.Errorf("%w. Duplicate key was %s", ErrX, ...)` as the text that it makes. */
function composedError(expression: string): string {
  const found = /^fmt\.Errorf\("((?:[^"\\]|\\.)*)"(.*)\)$/s.exec(expression)
  if (!found) return ERRORS[expression] ?? expression
  const args = [...(found[2] ?? '').matchAll(/`([^`]*)`|"((?:[^"\\]|\\.)*)"|([A-Za-z]\w*)/g)].map(
    ([, raw, quoted, name]) => raw ?? quoted ?? ERRORS[name ?? ''] ?? name ?? '',
  )
  let next = 0
  return (found[1] ?? '').replaceAll(/%[wsvq]/g, () => args[next++] ?? '')
}

/** The text of an expected error, where there is one. */
export function errorOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : (ERRORS[value] ?? value)
  return isRow(value) && typeof value['$error'] === 'string' ? (ERRORS[value['$error']] ?? value['$error']) : undefined
}

export interface Comparison {
  /** Lists are sets. */
  readonly anyOrder?: boolean
  /** What is empty is as good as not there, as in Go's zero values. */
  readonly ignoresEmpty?: boolean
  /** A null that is expected stands for a value that the pack could not write down: a pointer that upstream computes. */
  readonly nullIsUnknown?: boolean
}

/** The first difference in words, or undefined. */
export function differenceOf(want: unknown, got: unknown, options: Comparison = {}): string | undefined {
  const [wanted, gotten] = [want, got].map((value) => normal(value, options))
  if (matches(wanted, gotten, options)) return undefined
  return `got ${JSON.stringify(gotten)}, expected ${JSON.stringify(wanted)}`
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function normal(value: unknown, options: Comparison): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normal(item, options))
    return options.anyOrder ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (!isRow(value)) return value ?? null
  const entries = Object.entries(value)
    .map(([key, item]) => [key, options.nullIsUnknown && item === null ? null : normal(item, options)] as const)
    .filter(([, item]) => !(options.ignoresEmpty && isEmpty(item) && !(options.nullIsUnknown && item === null)))
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function matches(want: unknown, got: unknown, options: Comparison): boolean {
  if (options.nullIsUnknown && want === null) return true
  if (Array.isArray(want)) {
    return Array.isArray(got) && want.length === got.length && want.every((item, at) => matches(item, got[at], options))
  }
  if (!isRow(want)) return isDeepStrictEqual(want, got)
  if (!isRow(got)) return false
  const keys = new Set([...Object.keys(want), ...Object.keys(got)])
  return [...keys].every((key) => Object.hasOwn(want, key) && matches(want[key], got[key], options))
}
