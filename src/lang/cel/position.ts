import type { Problem } from '../../lib/result.ts'
import { codePointCount } from './value/text.ts'

/** A place in a source text: line and column count from one, columns in code points. */
export function positionOf(source: string, offset: number): string {
  const before = source.slice(0, offset)
  const line = before.split('\n').length
  const column = codePointCount(before.slice(before.lastIndexOf('\n') + 1)) + 1
  return `${line}:${column}`
}

/** A mistake in an expression's text. */
export function syntaxProblem(source: string, offset: number, message: string): Problem {
  return { code: 'cel-syntax', at: positionOf(source, offset), message }
}
