import { type Json } from '../../lib/json.ts'
import type { Environment } from './environment.ts'
import { JqError } from './error.ts'
import type { Evaluator } from './evaluate.ts'
import type { Pattern } from './node.ts'
import { indexed } from './paths.ts'
import { isArray, typeOf } from './value.ts'

/** Where a pattern is bound: what names mean there, the input, and the value that is taken apart. */
interface Binding {
  readonly env: Environment
  readonly input: Json
  readonly value: Json
}

type Body = (bound: Environment) => void

/** Binds by the first pattern whose body does not fail; with one pattern, plainly. */
export function bindFirst(evaluator: Evaluator, patterns: readonly Pattern[], binding: Binding, body: Body): void {
  const [only] = patterns
  if (patterns.length === 1 && only) return bind(evaluator, only, binding, body)
  let { env } = binding
  for (const name of patterns.flatMap(namesOf)) env = { is: 'variable', name, value: null, up: env }
  for (const [at, pattern] of patterns.entries()) {
    try {
      return bind(evaluator, pattern, { ...binding, env }, body)
    } catch (thrown) {
      if (!(thrown instanceof JqError) || at === patterns.length - 1) throw thrown
    }
  }
}

function bind(evaluator: Evaluator, pattern: Pattern, { env, input, value }: Binding, body: Body): void {
  if (pattern.is === 'name') return body({ is: 'variable', name: pattern.name, value, up: env })
  if (pattern.is === 'items') {
    if (value !== null && !isArray(value)) throw new JqError(`Cannot index ${typeOf(value)} with number`)
    const next = (at: number, bound: Environment): void => {
      const item = pattern.items[at]
      if (!item) return body(bound)
      bind(evaluator, item, { env: bound, input, value: value?.[at] ?? null }, (inner) => next(at + 1, inner))
    }
    return next(0, env)
  }
  const next = (at: number, bound: Environment): void => {
    const field = pattern.fields[at]
    if (!field) return body(bound)
    evaluator.values(field.key, bound, input, (key) => {
      if (typeof key !== 'string') throw new JqError(`Cannot index ${typeOf(value)} with ${typeOf(key)}`)
      const below = indexed(value, key)
      const named: Environment = field.name ? { is: 'variable', name: field.name, value: below, up: bound } : bound
      if (!field.pattern) return next(at + 1, named)
      bind(evaluator, field.pattern, { env: named, input, value: below }, (inner) => next(at + 1, inner))
    })
  }
  next(0, env)
}

function namesOf(pattern: Pattern): readonly string[] {
  if (pattern.is === 'name') return [pattern.name]
  if (pattern.is === 'items') return pattern.items.flatMap(namesOf)
  return pattern.fields.flatMap(({ name, pattern: below }) => [
    ...(name ? [name] : []),
    ...(below ? namesOf(below) : []),
  ])
}
