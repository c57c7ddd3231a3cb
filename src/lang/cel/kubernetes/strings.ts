import { formatFloat } from '../../../lib/go-float.ts'
import { quoteString } from '../../../lib/go-string.ts'
import { EvaluationError } from '../error.ts'
import { clause, type Clause, formatter, MAX_DEPTH, refuse } from '../library/format.ts'
import type { Library } from '../library/library.ts'
import { stringsLibrary } from '../library/strings.ts'
import { Double, doubleText } from '../value/double.ts'
import { Duration, durationText } from '../value/duration.ts'
import { kindOf } from '../value/kind.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { keyText, type MapValue, mapGet, mapKeys } from '../value/map.ts'
import { refuseLong } from '../value/text.ts'
import { Timestamp, timestampText } from '../value/timestamp.ts'
import { TypeValue } from '../value/type-value.ts'

const NOT_FINITE = /^[+-]?Inf$|^NaN$/

function floatText(value: number, verb: 'e' | 'f', precision: number): string {
  const text = formatFloat(value, verb, precision)
  return NOT_FINITE.test(text) ? text.replace('Inf', '∞').replace('+', '') : text
}

/** A text as a member of a list or map shows it. */
function memberText(value: unknown, depth: number): string {
  if (typeof value === 'string') return quoteString(value)
  if (value instanceof Double) {
    return Number.isFinite(value.value)
      ? formatFloat(value.value, 'f', 6)
      : quoteString(formatFloat(value.value, 'f', 6))
  }
  if (value instanceof Duration) return `duration(${quoteString(durationText(value.nanos))})`
  if (value instanceof Timestamp) return `timestamp(${quoteString(timestampText(value.nanos))})`
  if (value instanceof TypeValue) return `type(${value.type.name})`
  if (value instanceof Uint8Array) return `b${quoteString(clause('s', 0, value))}`
  return textOf(value, depth)
}

/** `%s`: lists and maps show their members as literals. */
function textOf(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new EvaluationError('error during formatting: the value is nested too deep')
  if (value instanceof Double) return doubleText(value.value)
  // The kinds say which type it is.
  switch (kindOf(value)) {
    case 'list':
      return together(
        listItems(value as ListValue).map((item) => memberText(item, depth + 1)),
        '[',
        ']',
      )
    case 'map': {
      const map = value as MapValue
      const entries = [...mapKeys(map)].map((key) => {
        return [
          typeof key === 'string' ? quoteString(key) : keyText(key),
          memberText(mapGet(map, key), depth + 1),
        ] as const
      })
      const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      return together(
        sorted.map(([key, text]) => `${key}:${text}`),
        '{',
        '}',
      )
    }
    default:
      return clause('s', 0, value)
  }
}

function together(parts: readonly string[], open: string, close: string): string {
  refuseLong(parts.reduce((length, part) => length + part.length, 0))
  return `${open}${parts.join(', ')}${close}`
}

const grouped = (text: string): string => text.replace(/^-?\d+/, (whole) => whole.replaceAll(/\B(?=(\d{3})+$)/g, ','))

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** `3.14×10⁰⁰`, as texts for people write powers of ten. */
const powerOfTen = (text: string): string =>
  text.replace(/e([+-])(\d+)$/, (_, sign: string, digits: string) => {
    return `×10${sign === '-' ? '⁻' : ''}${Array.from(digits, (digit) => SUPERSCRIPTS[Number(digit)] ?? '').join('')}`
  })

const specialTexts: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity }

function realNumber(verb: string, value: unknown): number {
  if (value instanceof Double) return value.value
  const special = typeof value === 'string' && Object.hasOwn(specialTexts, value) ? specialTexts[value] : undefined
  if (special === undefined) throw refuse(verb, value, 'doubles')
  return special
}

/** The clauses of the version of the library that Kubernetes pins (cel-go ext/formatting.go). */
const pinned: Clause = (verb, precision, value) => {
  switch (verb) {
    case 's':
      return textOf(value)
    case 'd':
      if (value instanceof Double) throw refuse('decimal', value, 'integers')
      return clause(verb, precision, value)
    case 'f':
      return grouped(floatText(realNumber('fixed-point', value), 'f', precision))
    case 'e':
      return powerOfTen(floatText(realNumber('scientific', value), 'e', precision))
    default:
      return clause(verb, precision, value)
  }
}

const formatPinned = formatter(pinned)

/** The strings library as the API server pins it: an older `format`, no `reverse`. */
export const kubernetesStringsLibrary: Library = {
  name: 'kubernetes.strings',
  overloads: (stringsLibrary.overloads ?? [])
    .filter((overload) => overload.id !== 'string_reverse')
    .map((overload) => (overload.id === 'string_format' ? { ...overload, run: formatPinned } : overload)),
}
