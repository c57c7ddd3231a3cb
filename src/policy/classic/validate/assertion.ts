import { isObject, own } from '../../../lib/json.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Scope } from '../context/scope.ts'
import { RuleFailure } from '../evaluation.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'
import { type Fields, textOf } from '../read.ts'
import type { Outcome } from '../rule.ts'
import { failed } from './check-resource.ts'
import { filledMessage } from './message.ts'

/** A way in an assertion tree that the object does not bear out. */
interface Refuted {
  readonly path: string
  readonly message: string
}

/**
 * Holds an object against an assertion tree: keys are fields, or `(expressions)` whose value is asserted; `->name` binds
 * the value; a list is asserted item by item, and `~.` makes the tree below an assertion about each item.
 */
export function checkAssertion(block: Fields, rule: string, object: KubeObject, scope: Scope): Outcome {
  try {
    const refuted = assertTree(block['assert'], object, '', new Bindings(scope, {}))
    if (refuted.length === 0) return { verdict: 'pass', message: `validation rule '${rule}' passed.` }
    const told = refuted.map(({ path, message }) => `${path === '' ? '/' : path}: ${message}`).join('; ')
    const message = filledMessage(textOf(block['message']), scope) ?? ''
    const first = refuted[0]?.path ?? ''
    return {
      verdict: 'fail',
      message: message === '' ? `validation error: ${told}` : `${message}: ${told}`,
      path: first,
    }
  } catch (failure) {
    return failed('failed to evaluate the assertion', failure)
  }
}

/** The values that an assertion tree has named, which expressions read with `$`. */
class Bindings {
  private readonly scope: Scope
  private readonly values: Fields

  constructor(scope: Scope, values: Fields) {
    this.scope = scope
    this.values = values
  }

  with(name: string, value: unknown): Bindings {
    return new Bindings(this.scope, { ...this.values, [name]: value })
  }

  /** `$name` is written into the data, since the expressions of Kyverno know no variables. */
  search(expression: string, value: unknown): unknown {
    this.scope.charge(1, 0)
    if (!expression.includes('$')) return this.scope.evaluation.search(expression, value)
    const named = expression.replace(/\$([A-Za-z_]\w*)/g, (_, name: string) => {
      if (!Object.hasOwn(this.values, name)) throw new RuleFailure('invalid', `the assertion names no $${name}`)
      return `bindings.${name}`
    })
    const data = isObject(value) ? { ...value, bindings: this.values } : { bindings: this.values }
    return this.scope.evaluation.search(named, data)
  }
}

const KEY = /^(?:(~)(?:(\w+))?\.)?(.*?)(?:\s*->\s*(\w+))?$/s
const DEEPEST = 100

function assertTree(
  assertion: unknown,
  value: unknown,
  path: string,
  bindings: Bindings,
  depth: number = 0,
): readonly Refuted[] {
  if (depth > DEEPEST) throw new RuleFailure('over-budget', `the assertion nests deeper than ${DEEPEST} levels`)
  if (isObject(assertion)) {
    return Object.entries(assertion).flatMap(([key, below]) => assertKey(key, below, value, { path, bindings, depth }))
  }
  if (Array.isArray(assertion)) {
    if (!Array.isArray(value)) return [{ path, message: 'is no list' }]
    if (value.length !== assertion.length)
      return [{ path, message: `has ${value.length} items instead of ${assertion.length}` }]
    return assertion.flatMap((below, index) => assertTree(below, value[index], `${path}/${index}`, bindings, depth + 1))
  }
  return isAsserted(assertion, value, bindings)
    ? []
    : [{ path, message: `is ${shown(value)} instead of ${shown(assertion)}` }]
}

interface Where {
  readonly path: string
  readonly bindings: Bindings
  readonly depth: number
}

function assertKey(
  written: string,
  assertion: unknown,
  value: unknown,
  { path, bindings, depth }: Where,
): readonly Refuted[] {
  const [, each, indexName, key = '', name] = KEY.exec(written) ?? []
  const isExpression = key.startsWith('(') && key.endsWith(')')
  const below = isExpression ? bindings.search(key.slice(1, -1), value) : isObject(value) ? own(value, key) : undefined
  const place = `${path}/${key}`
  const known = name ? bindings.with(name, below) : bindings
  if (each === undefined) {
    if (below === undefined && !isExpression) return [{ path: place, message: 'is required' }]
    return assertTree(assertion, below, place, known, depth + 1)
  }
  if (typeof below !== 'object' || below === null) return [{ path: place, message: 'is no list and no object' }]
  return Object.entries(below).flatMap(([index, item]) =>
    assertTree(
      assertion,
      item,
      `${place}/${index}`,
      indexName ? known.with(indexName, Array.isArray(below) ? Number(index) : index) : known,
      depth + 1,
    ),
  )
}

function isAsserted(assertion: unknown, value: unknown, bindings: Bindings): boolean {
  if (typeof assertion === 'string' && assertion.startsWith('(') && assertion.endsWith(')')) {
    return isSame(bindings.search(assertion.slice(1, -1), value), value)
  }
  return isSame(assertion, value)
}

function isSame(wanted: unknown, found: unknown): boolean {
  if (typeof wanted === 'string' && typeof found === 'string') return wanted === found || matchesWildcard(wanted, found)
  return (wanted ?? null) === (found ?? null)
}

const shown = (value: unknown): string => (JSON.stringify(value ?? null) ?? 'null').slice(0, 200)
