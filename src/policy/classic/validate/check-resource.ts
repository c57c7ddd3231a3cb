import { isObject } from '../../../lib/json.ts'
import { evaluateConditions } from '../conditions/conditions.ts'
import { type ContextOwner, loadContext } from '../context/load-context.ts'
import type { Scope } from '../context/scope.ts'
import { RuleFailure } from '../evaluation.ts'
import { matchPattern } from '../pattern/match-pattern.ts'
import { type Fields, fieldsOf, textOf } from '../read.ts'
import type { Outcome } from '../rule.ts'
import { templateOf } from '../variables/template.ts'
import { anyPatternMessage, denyMessage, patternMessage } from './message.ts'

/** What patterns, denials and loops of one rule are held against. */
export interface Check {
  readonly rule: string
  readonly owner: ContextOwner
  readonly message: string
  /** The new object; undefined for a deletion. */
  readonly object: unknown
  readonly scope: Scope
  /** The list item that patterns are held against instead of the object. */
  readonly element?: unknown
  /** How many loops are around. */
  readonly nesting: number
}

/** Holds an object against `pattern`, `anyPattern`, `deny` or `foreach`; undefined when the rule has nothing to say. */
export function checkResource(block: Fields, check: Check): Outcome | undefined {
  if (block['deny'] !== undefined && block['deny'] !== null) return checkDeny(fieldsOf(block['deny']), check)
  if (block['pattern'] !== undefined && block['pattern'] !== null) return checkPattern(block['pattern'], check)
  if (block['anyPattern'] !== undefined && block['anyPattern'] !== null)
    return checkAnyPattern(block['anyPattern'], check)
  return Array.isArray(block['foreach']) ? checkForeach(block['foreach'], check) : undefined
}

/** An error as an outcome. What was spent, and what is still to be fetched, ends the rule instead. */
export function failed(what: string, failure: unknown): Outcome {
  if (!(failure instanceof RuleFailure) || failure.kind === 'over-budget') throw failure
  return { verdict: 'error', message: `${what}: ${failure.message}` }
}

function checkDeny(deny: Fields, { rule, message, scope }: Check): Outcome {
  try {
    const denied = evaluateConditions(deny['conditions'], scope)
    if (!denied.holds) return { verdict: 'pass', message: `validation rule '${rule}' passed.` }
    return { verdict: 'fail', message: denyMessage(rule, message, denied.message, scope) }
  } catch (failure) {
    return failed('failed to check deny conditions', failure)
  }
}

function filledPattern(pattern: unknown, scope: Scope): { readonly value: unknown } | Outcome {
  try {
    return { value: scope.fill(templateOf(pattern)) }
  } catch (failure) {
    return failed('variable substitution failed', failure)
  }
}

/** What a pattern is held against; undefined for a deletion, of which patterns say nothing. */
function patternTarget({ element, object }: Check): { readonly target: unknown } | undefined {
  if (element !== undefined) return { target: element }
  return object === undefined ? undefined : { target: object }
}

function checkPattern(pattern: unknown, check: Check): Outcome | undefined {
  const { rule, message, scope } = check
  const filled = filledPattern(pattern, scope)
  if ('verdict' in filled) return filled
  const against = patternTarget(check)
  if (!against) return undefined
  const mismatch = matchPattern(against.target, filled.value)
  if (!mismatch) return { verdict: 'pass', message: `validation rule '${rule}' passed.` }
  const { verdict, path, message: because } = mismatch
  if (verdict === 'skip') return { verdict, message: because }
  return { verdict, message: patternMessage(rule, message, scope, { path, because }), ...(path === '' ? {} : { path }) }
}

function checkAnyPattern(patterns: unknown, check: Check): Outcome | undefined {
  const { rule, message, scope } = check
  const filled = filledPattern(patterns, scope)
  if ('verdict' in filled) return filled
  const against = patternTarget(check)
  if (!against) return undefined
  if (!Array.isArray(filled.value)) return { verdict: 'error', message: 'anyPattern must be a list of patterns' }
  const skipped: string[] = []
  const failures: string[] = []
  let firstPath = ''
  for (const [index, pattern] of filled.value.entries()) {
    const mismatch = matchPattern(against.target, pattern)
    if (!mismatch) return { verdict: 'pass', message: `validation rule '${rule}' anyPattern[${index}] passed.` }
    if (mismatch.verdict === 'skip') {
      skipped.push(`rule ${rule}[${index}] skipped: ${mismatch.message}`)
    } else {
      firstPath ||= mismatch.path
      const place = mismatch.path === '' ? `failed: ${mismatch.message}` : `failed at path ${mismatch.path}`
      failures.push(`rule ${rule}[${index}] ${place}`)
    }
  }
  if (failures.length > 0) {
    const path = firstPath === '' ? {} : { path: firstPath }
    return { verdict: 'fail', message: anyPatternMessage(rule, message, scope, failures), ...path }
  }
  if (skipped.length > 0) return { verdict: 'skip', message: skipped.join(' ') }
  return { verdict: 'pass', message }
}

const DEEPEST_LOOP = 10

function checkForeach(loops: readonly unknown[], check: Check): Outcome | undefined {
  if (check.nesting >= DEEPEST_LOOP)
    throw new RuleFailure('over-budget', `foreach is nested deeper than ${DEEPEST_LOOP} levels`)
  let applied = 0
  let listFailure: Outcome | undefined
  for (const item of loops) {
    const loop = fieldsOf(item)
    let elements: readonly unknown[]
    try {
      elements = elementsOf(textOf(loop['list']), check.scope)
    } catch (failure) {
      if (failure instanceof RuleFailure && failure.kind === 'unknown-key') continue
      listFailure = failed('failed to evaluate list', failure)
      continue
    }
    const outcome = checkElements(loop, elements, check)
    if (outcome.verdict !== 'pass') return outcome
    applied += outcome.applied
  }
  return applied === 0 ? listFailure : { verdict: 'pass', message: 'rule passed' }
}

/** The items that a loop goes over; what is no list is its only item. */
export function elementsOf(list: string, scope: Scope): readonly unknown[] {
  const expression = scope.isDelete ? list.replaceAll('request.object', 'request.oldObject') : list
  const value = scope.query(expression)
  return Array.isArray(value) ? value : [value]
}

/** What a loop's body sees of one item. */
export function elementValues(element: unknown, index: number, nesting: number): Fields {
  return { element, [`element${nesting}`]: element, elementIndex: index, [`elementIndex${nesting}`]: index }
}

function checkElements(
  loop: Fields,
  elements: readonly unknown[],
  check: Check,
): Outcome & { readonly applied: number } {
  let applied = 0
  for (const [index, element] of elements.entries()) {
    if (element === null || element === undefined) continue
    check.scope.charge(1, 0)
    const scope = check.scope.inner(elementValues(element, index, check.nesting))
    const outcome = checkElement(loop, element, { ...check, scope })
    if (!outcome || outcome.verdict === 'skip') continue
    if (outcome.verdict === 'pass') {
      applied++
    } else if (outcome.verdict !== 'error' || !outcome.message.includes('failed to evaluate preconditions')) {
      const place = outcome.path === undefined ? {} : { path: outcome.path }
      return { verdict: outcome.verdict, message: `validation failure: ${outcome.message}`, ...place, applied }
    }
  }
  return { verdict: 'pass', message: '', applied }
}

function checkElement(loop: Fields, element: unknown, outer: Check): Outcome | undefined {
  const { elementScope } = loop
  if (elementScope === true && !isObject(element)) {
    return { verdict: 'error', message: 'failed to process foreach: elementScope is for items that are objects' }
  }
  const isScoped = typeof elementScope === 'boolean' ? elementScope : isObject(element)
  const check = { ...outer, nesting: outer.nesting + 1, ...(isScoped ? { element } : {}) }
  try {
    loadContext(loop['context'], check.scope, check.owner)
  } catch (failure) {
    return failed('failed to load context', failure)
  }
  try {
    const { holds, message } = evaluateConditions(loop['preconditions'], check.scope)
    if (!holds) return { verdict: 'skip', message: ['preconditions not met', message].filter(Boolean).join('; ') }
  } catch (failure) {
    return failed('failed to evaluate preconditions', failure)
  }
  return checkResource(loop, check)
}
