import type { Scope } from '../context/scope.ts'
import { RuleFailure } from '../evaluation.ts'
import { templateOf } from '../variables/template.ts'

/** A rule's message with its variables filled in; undefined when one cannot be. */
export function filledMessage(message: string, scope: Scope): string | undefined {
  try {
    const filled = scope.fill(templateOf(message))
    if (typeof filled === 'string') return filled
    return 'the produced message did not resolve to a string: check the policy'
  } catch (failure) {
    if (failure instanceof RuleFailure && failure.kind !== 'over-budget') return undefined
    throw failure
  }
}

/** What is told of a pattern that does not match. */
export function patternMessage(
  rule: string,
  message: string,
  scope: Scope,
  { path, because }: { readonly path: string; readonly because: string },
): string {
  const place = path === '' ? `execution error: ${because}` : `failed at path ${path}`
  if (message === '') return `validation error: rule ${rule} ${place}`
  const filled = filledMessage(message, scope)
  if (filled === undefined)
    return `validation error: variables substitution error in rule ${rule} execution error: ${because}`
  return `validation error: ${filled.endsWith('.') ? filled : `${filled}.`} rule ${rule} ${place}`
}

/** What is told when none of several patterns matches. */
export function anyPatternMessage(rule: string, message: string, scope: Scope, failures: readonly string[]): string {
  const because = failures.join(' ')
  if (message === '') return `validation error: ${because}`
  const filled = filledMessage(message, scope)
  if (filled === undefined)
    return `validation error: variables substitution error in rule ${rule} execution error: ${because}`
  return `validation error: ${filled}${filled.endsWith('.') ? '' : '.'} ${because}`
}

/** What is told of a denial. */
export function denyMessage(rule: string, message: string, reason: string, scope: Scope): string {
  const text = [message, reason].filter((part) => part !== '').join('; ')
  if (text === '') return `validation error: rule ${rule} failed`
  return filledMessage(text, scope) ?? reason
}
