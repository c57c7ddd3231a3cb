import type { Json } from '../../lib/json.ts'
import { isMatch } from './path.ts'

/** What is between the brackets of `#(...)`. */
export interface Query {
  readonly path: string
  readonly operator: string
  readonly value: string
  readonly isText: boolean
  /** `#(...)#`: every match, not only the first. */
  readonly isAll: boolean
}

const operators = ['==', '!=', '<=', '>=', '!%', '=', '<', '>', '%']

/** Reads a query; undefined if it is none. */
export function readQuery(text: string): Query | undefined {
  const isAll = text.endsWith(')#')
  if (!text.startsWith('#(') || !(isAll || text.endsWith(')'))) return undefined
  const inner = text.slice(2, isAll ? -2 : -1)
  const at = operatorIn(inner)
  if (!at) return { path: inner.trim(), operator: '', value: '', isText: false, isAll }
  const raw = inner.slice(at.end).trim()
  const isText = raw.startsWith('"')
  const value = isText ? raw.replace(/^"|"$/g, '').replace(/\\(["\\])/g, '$1') : raw
  return { path: inner.slice(0, at.start).trim(), operator: at.operator, value, isText, isAll }
}

function operatorIn(
  text: string,
): { readonly operator: string; readonly start: number; readonly end: number } | undefined {
  let depth = 0
  for (let start = 0; start < text.length; start++) {
    const character = text.charAt(start)
    if (character === '\\') start++
    else if (character === '(' || character === '[' || character === '{') depth++
    else if (character === ')' || character === ']' || character === '}') depth--
    else if (depth === 0) {
      const operator = operators.find((one) => text.startsWith(one, start))
      if (operator !== undefined) return { operator, start, end: start + operator.length }
    }
  }
  return undefined
}

/** Tells whether an item is what a query asks for; nested paths are looked up by the caller. */
export function matchesQuery(item: Json, query: Query, lookUp: (path: string) => Json | undefined): boolean {
  const found = query.path === '' ? item : lookUp(query.path)
  if (query.operator === '') return found !== undefined
  if (query.value.startsWith('~') && !query.isText) return matchesKind(found, query)
  return found !== undefined && compare(found, query)
}

/** `~true` and its like ask what a value amounts to. */
function matchesKind(found: Json | undefined, { value, operator }: Query): boolean {
  const isTrue =
    found === true || found === 1 || (typeof found === 'number' && found !== 0) || found === 'true' || found === '1'
  const isKind =
    value === '~true'
      ? isTrue
      : value === '~false'
        ? !isTrue
        : value === '~null'
          ? found === undefined || found === null
          : value === '~*' && found !== undefined
  return operator === '!=' ? !isKind : isKind
}

function compare(found: Json, { operator, value, isText }: Query): boolean {
  if (typeof found === 'string') return compareTexts(found, operator, value)
  if (typeof found === 'number') {
    const number = Number(value)
    if (isText || value === '' || Number.isNaN(number)) return operator === '!='
    return isOrdered(found, operator, number)
  }
  if (typeof found === 'boolean') {
    const wanted = value === 'true' ? true : value === 'false' ? false : undefined
    if (operator === '=' || operator === '==') return found === wanted
    if (operator === '!=') return found !== wanted
    return (operator === '>' || operator === '>=') === found && wanted !== found
  }
  if (found === null) return (operator === '=' || operator === '==') === (value === 'null')
  return operator === '!='
}

function compareTexts(found: string, operator: string, value: string): boolean {
  if (operator === '%') return isMatch(found, value)
  return operator === '!%' ? !isMatch(found, value) : isOrdered(found, operator, value)
}

/** Compares two of a kind; other operators hold for nothing. */
function isOrdered<T extends string | number>(found: T, operator: string, value: T): boolean {
  switch (operator) {
    case '=':
    case '==':
      return found === value
    case '!=':
      return found !== value
    case '<':
      return found < value
    case '<=':
      return found <= value
    case '>':
      return found > value
    case '>=':
      return found >= value
    default:
      return false
  }
}
