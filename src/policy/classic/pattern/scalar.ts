import { isObject } from '../../../lib/json.ts'
import { parseDuration } from '../../../lib/duration.ts'
import { compareQuantity, parseQuantity } from '../../../kube/quantity.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'

type Operator = '' | '>=' | '<=' | '!' | '>' | '<' | '-' | '!-'

const RANGE = /^([-|+]?\d+(?:\.\d+)?[A-Za-z]*)-([-|+]?\d+(?:\.\d+)?[A-Za-z]*)$/
const OUTSIDE = /^([-|+]?\d+(?:\.\d+)?[A-Za-z]*)!-([-|+]?\d+(?:\.\d+)?[A-Za-z]*)$/

/** The operator that a pattern's text begins with or, for ranges, holds. */
export function operatorOf(pattern: string): Operator {
  if (pattern.length < 2) return ''
  for (const operator of ['>=', '<=', '>', '<', '!'] as const) if (pattern.startsWith(operator)) return operator
  if (!/\d/.test(pattern) || !pattern.includes('-')) return ''
  if (OUTSIDE.test(pattern)) return '!-'
  return RANGE.test(pattern) ? '-' : ''
}

/** A number as Go writes it in decimal. */
export const numberText = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value)

/** Tells whether a value is what a pattern's leaf asks for: a scalar, or a text with operators and wildcards. */
export function matchesScalar(value: unknown, pattern: unknown): boolean {
  switch (typeof pattern) {
    case 'boolean':
      return value === pattern
    case 'number':
      return typeof value === 'string' ? isNumeral(value) && Number(value) === pattern : value === pattern
    case 'string':
      return matchesText(value, pattern)
    default:
      if (pattern === null || pattern === undefined) return isEmpty(value)
      return isObject(pattern) && isObject(value)
  }
}

const isNumeral = (text: string): boolean => /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === 0 || value === '' || value === false

function matchesText(value: unknown, pattern: string): boolean {
  if (value === pattern) return true
  return pattern.split('|').some((choice) =>
    choice
      .trim()
      .split('&')
      .every((condition) => matchesCondition(value, condition.trim())),
  )
}

function matchesCondition(value: unknown, pattern: string): boolean {
  const operator = operatorOf(pattern)
  if (operator === '-') {
    const [, low = '', high = ''] = RANGE.exec(pattern) ?? []
    return compare(value, low, '>=') && compare(value, high, '<=')
  }
  if (operator === '!-') {
    const [, low = '', high = ''] = OUTSIDE.exec(pattern) ?? []
    return compare(value, low, '<') || compare(value, high, '>')
  }
  return compare(value, pattern.slice(operator.length).trim(), operator)
}

type Comparison = Exclude<Operator, '-' | '!-'>

function ordered(order: number, operator: Comparison): boolean {
  switch (operator) {
    case '':
      return order === 0
    case '!':
      return order !== 0
    case '>':
      return order > 0
    case '<':
      return order < 0
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
  }
}

/** Durations and quantities are compared as amounts; everything else only for being like the pattern or not. */
function compare(value: unknown, pattern: string, operator: Comparison): boolean {
  const amount = amountText(value)
  if (amount !== undefined && /\d/.test(pattern) && /\d/.test(amount)) {
    const wantedDuration = parseDuration(pattern)
    if (wantedDuration.ok) {
      const duration = parseDuration(amount)
      if (duration.ok) {
        const difference = duration.value - wantedDuration.value
        return ordered(difference < 0n ? -1 : difference > 0n ? 1 : 0, operator)
      }
    }
    const wanted = parseQuantity(pattern)
    if (wanted.ok) {
      const quantity = parseQuantity(amount)
      if (quantity.ok) return ordered(compareQuantity(quantity.value, wanted.value), operator)
    }
  }
  if (operator !== '' && operator !== '!') return false
  const text = scalarText(value)
  if (text === undefined) return false
  return matchesWildcard(pattern, text) === (operator === '')
}

/** What a value is as an amount: nothing at all counts as zero. */
function amountText(value: unknown): string | undefined {
  if (value === null || value === undefined) return '0'
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return undefined
  return Number.isInteger(value) ? numberText(value) : value.toFixed(6)
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' ? numberText(value) : undefined
}
