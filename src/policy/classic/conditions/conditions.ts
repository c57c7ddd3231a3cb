import { isObject } from '../../../lib/json.ts'
import type { Scope } from '../context/scope.ts'
import { RuleFailure } from '../evaluation.ts'
import { fieldsOf, textOf } from '../read.ts'
import { type Template, templateOf } from '../variables/template.ts'
import { type Operator, operatorNamed } from './operator.ts'

/** What conditions came to, and the messages of those that decided it. */
export interface ConditionsOutcome {
  readonly holds: boolean
  readonly message: string
}

interface Condition {
  readonly key: Template
  readonly value: Template
  readonly operator: Operator | undefined
  readonly operatorName: string
  readonly message: string
}

/** `any` and `all` of one block; undefined where the block does not say. */
interface Block {
  readonly any: readonly Condition[] | undefined
  readonly all: readonly Condition[]
}

const cache = new WeakMap<object, readonly Block[]>()

function compile(conditions: object): readonly Block[] {
  if (!Array.isArray(conditions)) return [blockOf(conditions)]
  // A list holds blocks, or in the older form conditions that must all hold.
  if (conditions.some((item) => isObject(item) && ('any' in item || 'all' in item))) return conditions.map(blockOf)
  return [{ any: undefined, all: conditions.map(conditionOf) }]
}

function blockOf(value: unknown): Block {
  const { any, all } = fieldsOf(value)
  return {
    any: Array.isArray(any) ? any.map(conditionOf) : undefined,
    all: Array.isArray(all) ? all.map(conditionOf) : [],
  }
}

function conditionOf(value: unknown): Condition {
  const { key, value: wanted, operator, message } = fieldsOf(value)
  return {
    key: templateOf(key),
    value: templateOf(wanted),
    operator: operatorNamed(textOf(operator)),
    operatorName: textOf(operator),
    message: textOf(message),
  }
}

/** Tells whether conditions hold; none at all hold. */
export function evaluateConditions(conditions: unknown, scope: Scope): ConditionsOutcome {
  if (typeof conditions !== 'object' || conditions === null) return { holds: true, message: '' }
  let blocks = cache.get(conditions)
  if (!blocks) cache.set(conditions, (blocks = compile(conditions)))
  const messages: string[] = []
  for (const block of blocks) {
    const outcome = evaluateBlock(block, scope)
    if (!outcome.holds) return outcome
    messages.push(outcome.message)
  }
  return { holds: true, message: joined(messages) }
}

const joined = (messages: readonly string[]): string => messages.filter((message) => message !== '').join('; ')

function evaluateBlock({ any, all }: Block, scope: Scope): ConditionsOutcome {
  const held: string[] = []
  const failed: string[] = []
  let anyHolds = any === undefined
  for (const condition of any ?? []) {
    if (evaluate(condition, scope)) {
      anyHolds = true
      held.push(condition.message)
      break
    }
    failed.push(condition.message)
  }
  let allHold = true
  for (const condition of all) {
    if (!evaluate(condition, scope)) {
      allHold = false
      failed.push(condition.message)
      break
    }
    held.push(condition.message)
  }
  const holds = anyHolds && allHold
  return { holds, message: joined(holds ? held : failed) }
}

function evaluate({ key, value, operator, operatorName }: Condition, scope: Scope): boolean {
  scope.charge(1, 0)
  const left = scope.fill(key)
  const right = scope.fill(value)
  if (!operator)
    throw new RuleFailure('invalid', `a condition has the unknown operator ${JSON.stringify(operatorName)}`)
  return operator(left, right)
}
