import { conditionsOf, type Fields, type Seen, textAt } from './reading.ts'
import type { HealthStatus, HealthStatusCode } from './status.ts'

/** Judges one object; undefined when there is nothing to say. */
export type Check = (object: Fields) => HealthStatus | undefined

/** The checks of some kinds: `group/Kind`, or `Kind` alone for the core group. */
export type CheckTable = Readonly<Record<string, Check>>

/** A health without its message when it has none. */
export const health = (status: HealthStatusCode, message?: string): HealthStatus =>
  typeof message === 'string' ? { status, message } : { status } // a condition's message can be anything

export const progressing = (message?: string): HealthStatus => health('Progressing', message)
export const degraded = (message?: string): HealthStatus => health('Degraded', message)
export const healthy = (message?: string): HealthStatus => health('Healthy', message)
export const suspended = (message?: string): HealthStatus => health('Suspended', message)
export const unknown = (message?: string): HealthStatus => health('Unknown', message)

/** What a rule says of a condition. Its own message unless told otherwise. */
export type Say = string | ((condition: Seen, object: Fields) => string | undefined)

/** A condition that decides, and what it decides. */
export interface Rule {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly health: HealthStatusCode
  readonly say?: Say
}

/** A rule from its notation: `Ready=True`, `Ready` (any status), `=False` (any type), `Ready=True:Reason`. */
export function when(notation: string, status: HealthStatusCode, say?: Say): Rule {
  const [left = '', reason] = notation.split(':')
  const [type = '', value = ''] = left.split('=')
  return {
    type,
    status: value,
    health: status,
    ...(reason === undefined ? {} : { reason }),
    ...(say === undefined ? {} : { say }),
  }
}

/** The condition's message, or a text where it has none. */
export const messageOr =
  (missing: string): Say =>
  (condition) =>
    condition.message ?? missing

const isMet = (rule: Rule, condition: Seen): boolean =>
  (rule.type === '' || rule.type === condition.type) &&
  (rule.status === '' || rule.status === condition.status) &&
  (rule.reason === undefined || rule.reason === condition.reason)

function saidBy(rule: Rule, condition: Seen, object: Fields): string | undefined {
  if (rule.say === undefined) return condition.message
  return typeof rule.say === 'string' ? rule.say : rule.say(condition, object)
}

/** Goes through the conditions in their order; the first that meets a rule decides. */
export function decideBy(rules: readonly Rule[], of: (object: Fields) => readonly Seen[] = conditionsOf): Check {
  return (object) => {
    for (const condition of of(object)) {
      const rule = rules.find((one) => isMet(one, condition))
      if (rule) return health(rule.health, saidBy(rule, condition, object))
    }
    return undefined
  }
}

/** The first check that has an answer. */
export const firstOf =
  (...checks: readonly Check[]): Check =>
  (object) => {
    for (const check of checks) {
      const found = check(object)
      if (found) return found
    }
    return undefined
  }

/** A check that always says the same. */
export const always =
  (status: HealthStatus): Check =>
  () =>
    status

/** What conditions decide, and what holds until they do. */
export const conditions = (waiting: string, ...rules: readonly Rule[]): Check =>
  firstOf(decideBy(rules), always(progressing(waiting)))

/** Ready or not by one condition; `healthyText` replaces its message when all is well. */
export function readiness(waiting: string, type: string = 'Ready', healthyText?: string): Check {
  return conditions(waiting, when(`${type}=False`, 'Degraded'), when(`${type}=True`, 'Healthy', healthyText))
}

type Outcome = readonly [status: HealthStatusCode, message?: string | ((value: string, object: Fields) => string)]

/** What a text field's value means; another value is `other`'s to judge. */
export function states(path: string, table: Readonly<Record<string, Outcome>>, other?: Outcome): Check {
  const outcomes = new Map(Object.entries(table))
  return (object) => {
    const value = textAt(object, path)
    if (value === undefined) return undefined
    const outcome = outcomes.get(value) ?? other
    if (!outcome) return undefined
    const [status, message] = outcome
    return health(status, typeof message === 'function' ? message(value, object) : message)
  }
}

/** The same check for several kinds of a group. */
export function forKinds(group: string, kinds: readonly string[], check: (kind: string) => Check): CheckTable {
  return Object.fromEntries(kinds.map((kind) => [`${group}/${kind}`, check(kind)]))
}

/** The value itself as the message. */
export const itself = (value: string): string => value
