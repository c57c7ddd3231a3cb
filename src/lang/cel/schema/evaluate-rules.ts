import { isEqual, isObject, own } from '../../../lib/json.ts'
import type { Problem } from '../../../lib/result.ts'
import { duplicate, type FieldError, forbidden, required } from '../../../kube/schema/field-error.ts'
import { valueText } from '../../../kube/schema/field-error.ts'
import type { Schema } from '../../../kube/schema/schema.ts'
import { PER_CALL_LIMIT, PER_OBJECT_LIMIT } from '../evaluate/run.ts'
import { none, some } from '../value/optional.ts'
import type { CompiledRule, CompiledRules, RuleNode } from './compile-rules.ts'

export interface EvaluateRulesOptions {
  /** What all rules together may cost. */
  readonly budget?: number
  /** Where the value stands. */
  readonly at?: string
  /** Called with what an unchanged value already broke, which is told but not refused. */
  readonly warn?: (problem: FieldError) => void
}

const LONGEST_MESSAGE = 5 * 1024
const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

/**
 * Runs the rules of a schema over a value and what it was before (undefined for a new one). A rule about a change runs where
 * the old value can be told: not below atomic lists and maps, and in lists with keys by key. What did not change and only
 * breaks rules about the value itself is warned of, not refused.
 */
export function evaluateRules(
  compiled: CompiledRules,
  value: unknown,
  oldValue?: unknown,
  options: EvaluateRulesOptions = {},
): readonly FieldError[] {
  if (!compiled.root) return []
  const walk = new RuleWalk(options)
  walk.node(compiled.root, value, {
    at: options.at ?? '',
    old: oldValue,
    nearest: undefined,
    isKnown: oldValue !== undefined,
  })
  return walk.problems
}

/** Where a value stands and what it was. */
interface Position {
  readonly at: string
  readonly old: unknown
  /** Whether the old value can be told. */
  readonly isKnown: boolean
  /** The nearest value above whose old one can be told. */
  readonly nearest: { readonly value: unknown; readonly old: unknown } | undefined
}

class Stop extends Error {}

class RuleWalk {
  readonly problems: FieldError[] = []
  readonly #warn: ((problem: FieldError) => void) | undefined
  #budget: number

  constructor({ budget = PER_OBJECT_LIMIT, warn }: EvaluateRulesOptions) {
    this.#budget = budget
    this.#warn = warn
  }

  node(node: RuleNode, value: unknown, position: Position): void {
    try {
      this.#visit(node, value, position)
    } catch (error) {
      if (!(error instanceof Stop)) throw error
    }
  }

  #visit(node: RuleNode, value: unknown, position: Position): void {
    if (value === undefined || value === null) return
    if (node.rules.length > 0) this.#rules(node, value, position)
    for (const part of node.allOf) this.#visit(part, value, position)
    if (Array.isArray(value)) this.#items(node, value, position)
    else if (isObject(value)) this.#fields(node, value, position)
  }

  #items(node: RuleNode, value: readonly unknown[], position: Position): void {
    const { items } = node
    if (!items) return
    const oldItem = correlation(node.schema, position.old)
    for (const [index, item] of value.entries()) {
      const old = position.isKnown ? oldItem(item) : undefined
      this.#visit(items, item, this.#below(position, `${position.at}[${index}]`, { value, old }))
    }
  }

  #fields(node: RuleNode, value: Readonly<Record<string, unknown>>, position: Position): void {
    const isGranular = node.schema.mapType !== 'atomic'
    const oldFields = position.isKnown && isGranular && isObject(position.old) ? position.old : undefined
    const visit = (child: RuleNode, key: string, at: string): void => {
      const old = oldFields && own(oldFields, key)
      this.#visit(child, value[key], this.#below(position, at, { value, old }))
    }
    if (node.additionalProperties) {
      for (const key of Object.keys(value)) visit(node.additionalProperties, key, `${position.at}[${key}]`)
    }
    for (const [key, child] of node.properties ?? []) {
      if (Object.hasOwn(value, key)) visit(child, key, position.at === '' ? key : `${position.at}.${key}`)
    }
  }

  #below(above: Position, at: string, { value, old }: { readonly value: unknown; readonly old: unknown }): Position {
    const nearest = above.isKnown && above.old !== undefined ? { value, old: above.old } : above.nearest
    return { at, old, isKnown: old !== undefined, nearest }
  }

  #rules(node: RuleNode, value: unknown, position: Position): void {
    const { at } = position
    if (this.#budget <= 0) this.#stop(node, value, at, OUT_OF_BUDGET)
    const old = position.old ?? undefined
    const self = node.adapt(value)
    const oldSelf = old === undefined ? undefined : node.adapt(old)
    for (const compiled of node.rules) {
      const { rule } = compiled
      if (compiled.usesOldSelf && oldSelf === undefined && !rule.optionalOldSelf) continue
      const bindings = new Map<string, unknown>([['self', self]])
      if (rule.optionalOldSelf) bindings.set('oldSelf', oldSelf === undefined ? none : some(oldSelf))
      else if (oldSelf !== undefined) bindings.set('oldSelf', oldSelf)
      this.#rule(node, compiled, bindings, { ...position, old }, value)
    }
  }

  #rule(
    node: RuleNode,
    compiled: CompiledRule,
    bindings: ReadonlyMap<string, unknown>,
    position: Position,
    value: unknown,
  ): void {
    const { at } = position
    const { rule } = compiled
    const name = (rule.message ?? rule.rule).trim()
    const outcome = compiled.program.evaluate(bindings, { cost: PER_CALL_LIMIT })
    this.#budget -= outcome.ok ? outcome.value.cost : 0
    if (this.#budget < 0) this.#stop(node, value, at, OUT_OF_BUDGET)
    if (!outcome.ok) {
      const detail = failureText(outcome.error[0], name)
      if (outcome.error[0]?.code === 'cel-budget-exceeded') this.#stop(node, value, at, detail)
      this.problems.push(invalidValue(node.schema, at, value, detail))
      return
    }
    if (outcome.value.value === true) return
    const place = (compiled.fieldPath ?? []).reduce((path, part) => (path === '' ? part : `${path}.${part}`), at)
    const message = this.#message(compiled, bindings) ?? (rule.message ? rule.message.trim() : `failed rule: ${name}`)
    const problem = problemFor(node.schema, compiled, place, value, message)
    if (!compiled.usesOldSelf && isUnchanged(value, position)) this.#warn?.(problem)
    else this.problems.push(problem)
  }

  /** What a messageExpression says; undefined when it has nothing sensible to say. */
  #message({ messageProgram }: CompiledRule, bindings: ReadonlyMap<string, unknown>): string | undefined {
    if (!messageProgram) return undefined
    const outcome = messageProgram.evaluate(bindings, { cost: Math.min(PER_CALL_LIMIT, Math.max(this.#budget, 0)) })
    if (!outcome.ok) return undefined
    this.#budget -= outcome.value.cost
    const text = typeof outcome.value.value === 'string' ? outcome.value.value.trim() : ''
    return text === '' || text.includes('\n') || text.length > LONGEST_MESSAGE ? undefined : text
  }

  #stop(node: RuleNode, value: unknown, at: string, detail: string): never {
    this.problems.push(invalidValue(node.schema, at, value, detail))
    throw new Stop()
  }
}

function failureText(problem: Problem | undefined, rule: string): string {
  const message = problem?.message ?? ''
  if (problem?.code === 'cel-budget-exceeded') {
    return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`
  }
  if (message.startsWith('no such overload')) {
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${rule}`
  }
  return `${message} evaluating rule: ${rule}`
}

function problemFor(schema: Schema, { rule }: CompiledRule, at: string, value: unknown, message: string): FieldError {
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbidden(at, message)
    case 'FieldValueRequired':
      return required(at, message)
    case 'FieldValueDuplicate':
      return duplicate(at, value)
    default:
      return invalidValue(schema, at, value, message)
  }
}

/** Lists and objects are left out of messages. */
function invalidValue({ type }: Schema, at: string, value: unknown, detail: string): FieldError {
  const shown = type === 'object' || type === 'array' ? '' : ` ${valueText(value)}:`
  return { code: 'field-invalid', reason: 'FieldValueInvalid', at, message: `Invalid value:${shown} ${detail}` }
}

/** Whether a value, or the nearest one above whose old one can be told, is what it was. */
function isUnchanged(value: unknown, { old, isKnown, nearest }: Position): boolean {
  if (isKnown) return isEqual(value, old)
  return nearest !== undefined && isEqual(nearest.value, nearest.old)
}

/** Finds what an item of a list was: by key in lists that are maps, nowhere in others. */
function correlation(schema: Schema, old: unknown): (item: unknown) => unknown {
  const keys = schema.listType === 'map' ? (schema.listMapKeys ?? []) : []
  if (keys.length === 0 || !Array.isArray(old)) return () => undefined
  const keyOf = (item: unknown): string | undefined =>
    isObject(item) ? JSON.stringify(keys.map((key) => own(item, key) ?? defaultOf(schema, key))) : undefined
  const known = new Map<string, unknown>()
  for (const item of old as readonly unknown[]) {
    const key = keyOf(item)
    if (key !== undefined && !known.has(key)) known.set(key, item)
  }
  return (item) => {
    const key = keyOf(item)
    return key === undefined ? undefined : known.get(key)
  }
}

const defaultOf = (schema: Schema, key: string): unknown => schema.items?.properties?.get(key)?.default ?? null
