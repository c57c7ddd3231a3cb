import { isObject } from '../../../lib/json.ts'
import { RuleFailure } from '../evaluation.ts'
import { withoutAnchors } from '../pattern/anchor.ts'
import { numberText, operatorOf } from '../pattern/scalar.ts'

const REFERENCE = /^\$\(.[^ ]*\)|[^\\]\$\(.[^ ]*\)/g
const ESCAPED = /\\\$\(.[^ )]*\)/g

/** Tells whether a text refers to another place of its document, or says that it does not. */
export const hasReference = (text: string): boolean => text.includes('$(')

/**
 * A text whose references such as `$(<=./../limit)` are replaced by what stands there. Paths are relative to the text,
 * as in a file system, and anchors do not count.
 */
export function resolveReferences(text: string, path: string, document: unknown): string {
  let resolved = text
  for (const [found] of text.matchAll(REFERENCE)) {
    const isInitial = found.startsWith('$(')
    const prefix = isInitial ? '' : found.slice(0, 1)
    const value = valueOf(isInitial ? found : found.slice(1), path, document)
    resolved = resolved.replace(found, () => prefix + value)
  }
  return resolved.replace(ESCAPED, (found) => found.slice(1))
}

function valueOf(reference: string, path: string, document: unknown): string {
  const inside = reference.replace(/^[$()]+|[$()]+$/g, '')
  const operator = operatorOf(inside)
  const place = absolute(inside.slice(operator.length), withoutAnchors(path))
  const value = leafAt(document, place.split('/').slice(1))
  if (value === undefined || value === null) {
    throw new RuleFailure('invalid', `cannot resolve ${reference} at ${path}: there is nothing at ${place}`)
  }
  if (typeof value === 'string') return operator + value
  if (typeof value === 'number' && operator !== '') return operator + numberText(value)
  throw new RuleFailure('invalid', `cannot resolve ${reference} at ${path}: there is no text at ${place}`)
}

function absolute(reference: string, path: string): string {
  const parts: string[] = []
  for (const part of (reference.startsWith('/') ? reference : `${path}/${reference}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

function leafAt(document: unknown, parts: readonly string[]): unknown {
  let here = document
  for (const part of parts) {
    if (Array.isArray(here)) here = here[Number(part)]
    else if (isObject(here)) here = Object.entries(here).find(([key]) => withoutAnchors(key) === part)?.[1]
    else return undefined
  }
  return typeof here === 'object' ? undefined : here
}
