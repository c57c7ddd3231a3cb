import { Refusal } from '../refusal.ts'
import { pathText } from './path-element.ts'
import type { Type } from './type.ts'

/** Refuses a value that does not fit its type. */
export function badValue(path: readonly string[], message: string): never {
  const at = pathText(path)
  throw new Refusal({ code: 'apply-invalid', at, message: at === '' ? message : `${at}: ${message}` })
}

/** What is wrong with a value as a scalar of a type; null and nothing fit every type. */
export function scalarProblem({ scalar }: Type, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  const found = Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : typeof value
  const isScalar = found !== 'list' && found !== 'map'
  if (scalar === undefined || scalar === 'untyped') return isScalar ? undefined : `expected any scalar, got ${found}`
  switch (scalar) {
    case 'numeric':
      return found === 'number' ? undefined : `expected numeric (int or float), got ${found}`
    case 'string':
      return found === 'string' ? undefined : `expected string, got ${found}`
    case 'boolean':
      return found === 'boolean' ? undefined : `expected boolean, got ${found}`
  }
}
