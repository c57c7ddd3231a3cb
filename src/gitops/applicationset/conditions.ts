import type { Condition } from '../../kube/condition.ts'
import { formatTime } from '../../kube/time.ts'

export type ConditionType =
  | 'ErrorOccurred'
  | 'ParametersGenerated'
  | 'ResourcesUpToDate'
  | 'RolloutProgressing'
  | 'InvalidRolloutConfig'

/** A condition that a turn has found to hold or not. */
export interface FoundCondition {
  readonly type: ConditionType
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** An error is news about the parameters and the resources too. */
export function errorConditions(
  reason: string,
  message: string,
  parametersGenerated: boolean,
): readonly FoundCondition[] {
  return [
    parametersCondition(parametersGenerated, message),
    { type: 'ErrorOccurred', status: 'True', reason, message },
    { type: 'ResourcesUpToDate', status: 'False', reason: 'ErrorOccurred', message },
  ]
}

/** All is as the ApplicationSet says. */
export function upToDateConditions(): readonly FoundCondition[] {
  const message = 'All applications have been generated successfully'
  return [
    parametersCondition(true, ''),
    { type: 'ResourcesUpToDate', status: 'True', reason: 'ApplicationSetUpToDate', message },
    { type: 'ErrorOccurred', status: 'False', reason: 'ApplicationSetUpToDate', message },
  ]
}

function parametersCondition(isGenerated: boolean, message: string): FoundCondition {
  return isGenerated
    ? {
        type: 'ParametersGenerated',
        status: 'True',
        reason: 'ParametersGenerated',
        message: 'Successfully generated parameters for all Applications',
      }
    : { type: 'ParametersGenerated', status: 'False', reason: 'ErrorOccurred', message }
}

/**
 * The conditions after a turn, sorted by type: those that were found, and of the others those that the turn says nothing
 * about. A condition that stays the same keeps its time.
 */
export function nextConditions(
  before: readonly Condition[],
  found: readonly FoundCondition[],
  options: { readonly isRolling: boolean; readonly nowMs: number },
): readonly Condition[] {
  const about = new Set<string>(found.map((condition) => condition.type))
  const isGone = ({ type }: Condition): boolean =>
    about.has(type) || (!options.isRolling && (type === 'RolloutProgressing' || type === 'InvalidRolloutConfig'))
  const made = found.map((condition): Condition => {
    const old = before.find((each) => each.type === condition.type)
    const isSame =
      old?.status === condition.status && old.reason === condition.reason && old.message === condition.message
    return isSame ? old : { ...condition, lastTransitionTime: formatTime(options.nowMs) }
  })
  return [...before.filter((condition) => !isGone(condition)), ...made].toSorted((a, b) => (a.type < b.type ? -1 : 1))
}

/** The health that conditions amount to. */
export function healthOf(conditions: readonly Condition[]): { readonly status: string; readonly message: string } {
  if (conditions.length === 0) return { status: 'Unknown', message: 'No status conditions found for ApplicationSet' }
  const holding = (type: ConditionType): Condition | undefined =>
    conditions.find((condition) => condition.type === type && condition.status === 'True')
  for (const [type, status] of [
    ['ErrorOccurred', 'Degraded'],
    ['RolloutProgressing', 'Progressing'],
    ['ResourcesUpToDate', 'Healthy'],
  ] as const) {
    const condition = holding(type)
    if (condition) return { status, message: condition.message ?? '' }
  }
  return { status: 'Unknown', message: 'Waiting for health status to be determined' }
}
