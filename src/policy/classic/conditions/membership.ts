import { matchesWildcard } from '../../engine/wildcard.ts'
import { matchesScalar, numberText, operatorOf } from '../pattern/scalar.ts'

/** The values that a condition offers: a list, or a text that is one in JSON, a range, or itself. */
type Offer =
  | { readonly what: 'values'; readonly values: readonly string[] }
  | { readonly what: 'range'; readonly range: string }

function printed(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return numberText(value)
  if (value === null || value === undefined) return '<nil>'
  return typeof value === 'boolean' ? String(value) : JSON.stringify(value)
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

/** The list of texts that a text is in JSON; undefined when it is JSON of another kind. */
function parsedList(text: string): readonly string[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return [text] // not JSON: the text is the only value
  }
  if (value === null) return []
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

function offerOf(value: unknown): Offer | undefined {
  if (Array.isArray(value)) return { what: 'values', values: value.map(printed) }
  if (typeof value !== 'string') return undefined
  if (operatorOf(value) === '-') return { what: 'range', range: value }
  const values = parsedList(value)
  return values && { what: 'values', values }
}

/** Wildcards count on both sides. */
const isLike = (a: string, b: string): boolean => matchesWildcard(a, b) || matchesWildcard(b, a)

/** Whether one value is offered; undefined when what is offered is of no use. */
function isOffered(key: string, value: unknown): boolean | undefined {
  if (Array.isArray(value)) return value.some((item) => isLike(printed(item), key))
  if (typeof value !== 'string') return undefined
  if (matchesWildcard(value, key)) return true
  const offer = offerOf(value)
  if (!offer) return undefined
  return offer.what === 'range' ? matchesScalar(key, offer.range) : offer.values.includes(key)
}

interface Question {
  /** Of a single key. */
  readonly single: (isThere: boolean) => boolean
  /** Of several keys, against values. */
  readonly among: (keys: readonly string[], values: readonly string[]) => boolean
  /** Of several keys, against a range. */
  readonly within: (keys: readonly string[], range: string) => boolean
  readonly isScalarOffer?: boolean
}

function ask(key: unknown, value: unknown, question: Question): boolean {
  if (isScalar(key)) {
    const isThere = isOffered(printed(key), value)
    return isThere !== undefined && question.single(isThere)
  }
  if (!Array.isArray(key)) return false
  const keys = key.map(printed)
  if (typeof value === 'string' && keys.length === 1 && keys[0] === value) return question.single(true)
  const offer =
    question.isScalarOffer && isScalar(value) && typeof value !== 'string'
      ? { what: 'values' as const, values: [printed(value)] }
      : offerOf(value)
  if (!offer) return false
  return offer.what === 'range' ? question.within(keys, offer.range) : question.among(keys, offer.values)
}

const found = (key: string, values: readonly string[]): boolean => values.some((value) => isLike(key, value))
const yes = (isThere: boolean): boolean => isThere
const no = (isThere: boolean): boolean => !isThere

/** Some key is among the values. */
export function isAnyIn(key: unknown, value: unknown): boolean {
  return ask(key, value, {
    single: yes,
    among: (keys, values) => keys.some((one) => found(one, values)),
    within: (keys, range) => keys.some((one) => matchesScalar(one, range)),
    isScalarOffer: true,
  })
}

/** Every key is among the values. */
export function isAllIn(key: unknown, value: unknown): boolean {
  return ask(key, value, {
    single: yes,
    among: (keys, values) => keys.every((one) => found(one, values)),
    within: (keys, range) => keys.every((one) => matchesScalar(one, range)),
  })
}

/** Some key is not among the values. */
export function isAnyNotIn(key: unknown, value: unknown): boolean {
  return ask(key, value, {
    single: no,
    among: (keys, values) => keys.some((one) => !found(one, values)),
    within: (keys, range) => keys.some((one) => matchesScalar(one, range.replace('-', '!-'))),
    isScalarOffer: true,
  })
}

/** No key is among the values. */
export function isAllNotIn(key: unknown, value: unknown): boolean {
  return ask(key, value, {
    single: no,
    among: (keys, values) => keys.every((one) => !found(one, values)),
    within: (keys, range) => keys.every((one) => !matchesScalar(one, range)),
  })
}

/** The older operators look at exact texts when the key is a list, and know no ranges. */
function askExactly(
  key: unknown,
  value: unknown,
  among: (keys: readonly string[], values: ReadonlySet<string>) => boolean,
  single: (isThere: boolean) => boolean,
): boolean {
  if (isScalar(key)) {
    const isThere = typeof value === 'string' ? isOfferedExactly(printed(key), value) : isOffered(printed(key), value)
    return isThere !== undefined && single(isThere)
  }
  if (!Array.isArray(key)) return false
  const keys = key.map(printed)
  if (typeof value === 'string' && keys.length === 1 && keys[0] === value) return true
  const values = Array.isArray(value) ? value.map(printed) : typeof value === 'string' ? jsonTexts(value) : undefined
  return values !== undefined && among(keys, new Set(values))
}

function jsonTexts(text: string): readonly string[] | undefined {
  return text.trimStart().startsWith('[') ? parsedList(text) : undefined
}

function isOfferedExactly(key: string, value: string): boolean | undefined {
  return matchesWildcard(value, key) ? true : jsonTexts(value)?.includes(key)
}

/** The deprecated `In`. */
export function isIn(key: unknown, value: unknown): boolean {
  return askExactly(key, value, (keys, values) => keys.every((one) => values.has(one)), yes)
}

/** The deprecated `NotIn`. */
export function isNotIn(key: unknown, value: unknown): boolean {
  return askExactly(key, value, (keys, values) => keys.some((one) => !values.has(one)), no)
}
