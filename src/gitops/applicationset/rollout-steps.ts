import { fieldsOf } from '../fields.ts'
import type { MatchExpression, RolloutStep } from './application-set.ts'

type Fields = Readonly<Record<string, unknown>>

/** Which Applications a rollout updates in which step, and what is wrong with its steps. */
export interface Rollout {
  /** The names of each step's Applications, in the order in which they are generated. */
  readonly steps: readonly (readonly string[])[]
  /** The first step, from 0, that selects an Application; those that none selects are not updated. */
  readonly stepOf: ReadonlyMap<string, number>
  /** What to tell about the configuration; undefined when it is sound. */
  readonly issue: string | undefined
}

/** Applications by their labels into the steps of a rollout (applicationset/progressivesync). */
export function rolloutOf(steps: readonly RolloutStep[], applications: readonly Fields[]): Rollout {
  const byStep: string[][] = steps.map(() => [])
  const stepOf = new Map<string, number>()
  const several = new Map<string, number[]>()
  const operators = new Map<number, string>()
  for (const application of applications) {
    const metadata = fieldsOf(application, 'metadata')
    const name = String(metadata['name'])
    const labels = fieldsOf(metadata, 'labels')
    for (const [index, step] of steps.entries()) {
      const wrong = step.matchExpressions.find(({ operator }) => operator !== 'In' && operator !== 'NotIn')
      if (wrong && !operators.has(index)) operators.set(index, wrong.operator)
      if (!step.matchExpressions.every((expression) => selects(expression, labels))) continue
      byStep[index]?.push(name)
      const first = stepOf.get(name)
      if (first === undefined) stepOf.set(name, index)
      else several.set(name, [...(several.get(name) ?? [first]), index])
    }
  }
  return { steps: byStep, stepOf, issue: issueOf(steps, byStep, several, operators) }
}

function selects({ key, operator, values }: MatchExpression, labels: Fields): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  if (typeof value !== 'string') return operator !== 'In'
  if (operator === 'In') return values.includes(value)
  return operator === 'NotIn' && !values.includes(value)
}

const plural = (count: number): string => (count === 1 ? 'Step' : 'Steps')

/** The gravest issue; one at a time, as upstream tells them. */
function issueOf(
  steps: readonly RolloutStep[],
  byStep: readonly (readonly string[])[],
  several: ReadonlyMap<string, readonly number[]>,
  operators: ReadonlyMap<number, string>,
): string | undefined {
  if (operators.size > 0) {
    const numbers = [...operators.keys()].map((index) => index + 1).join(', ')
    const verb = operators.size === 1 ? 'has' : 'have'
    return `${plural(operators.size)} ${numbers} ${verb} invalid matchExpression operators: ${[...operators.values()].join(', ')}. Supported Operators are 'In' and 'NotIn'`
  }
  if (several.size > 0) {
    const names = [...several.keys()].toSorted()
    const listed = names.map((name) => `(${(several.get(name) ?? []).map((index) => index + 1).join('-')})`).join(', ')
    return names.length === 1
      ? `Application '${names[0] ?? ''}' is selected by multiple steps: ${listed}`
      : `Applications '${names.join("', '")}' are selected by multiple steps: [${listed}]`
  }
  const broken = steps.flatMap((step, index) => (isMaxUpdate(step.maxUpdate) ? [] : [index]))
  if (broken.length > 0) {
    const values = broken.map((index) => String(steps[index]?.maxUpdate)).join(', ')
    const numbers = broken.map((index) => index + 1).join(', ')
    return broken.length === 1
      ? `Step ${numbers} has an invalid maxUpdate value: ${values}`
      : `Steps ${numbers} have invalid maxUpdate values: [${values}]`
  }
  const empty = byStep.flatMap((names, index) => (names.length === 0 ? [index + 1] : []))
  return empty.length > 0 ? `Steps [${empty.join(' ')}] have no applications matching their criteria` : undefined
}

const isMaxUpdate = (value: RolloutStep['maxUpdate']): boolean =>
  value === undefined || typeof value === 'number' || /^\d+%$/.test(value)

/** How many Applications of a step may be updated at once; undefined means all. A share rounds down, but one may always go. */
export function mostAtOnce(maxUpdate: RolloutStep['maxUpdate'], total: number): number | undefined {
  if (maxUpdate === undefined) return undefined
  if (typeof maxUpdate === 'number') return maxUpdate
  const percent = /^(\d+)%$/.exec(maxUpdate)
  const share = percent ? Math.floor((Number(percent[1]) * total) / 100) : 0
  return maxUpdate !== '0%' && share < 1 ? 1 : share
}
