import { conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { FailureRule, JobSpec, SuccessRule } from './job.ts'
import { readRanges } from './job.ts'

// Semantics: kubernetes 1.33, pkg/controller/job/pod_failure_policy.go, success_policy.go.

/** What a Job's policy says of a failed Pod. */
export interface Judgement {
  readonly action: FailureRule['action']
  /** The match, as a condition of the Job tells it. */
  readonly because: string
}

/** The first rule that a failed Pod matches; a Pod that matches none counts against the limit. */
export function judgeFailure(pod: KubeObject, { podFailurePolicy }: JobSpec): Judgement {
  const { namespace = '', name = '' } = pod.metadata
  for (const [at, rule] of (podFailurePolicy?.rules ?? []).entries()) {
    // A rule over one index says nothing where indexes have no limit of their own; validation refuses it.
    const tail = `matching ${rule.action} rule at index ${at}`
    const code = rule.onExitCodes && matchingExit(pod, rule.onExitCodes)
    if (code) {
      const because = `Container ${code.container} for pod ${namespace}/${name} failed with exit code ${code.exitCode} ${tail}`
      return { action: rule.action, because }
    }
    const type = matchingCondition(pod, rule)
    if (type !== undefined)
      return { action: rule.action, because: `Pod ${namespace}/${name} has condition ${type} ${tail}` }
  }
  return { action: 'Count', because: 'no rule matches' }
}

function matchingExit(
  pod: KubeObject,
  { containerName, operator, values }: NonNullable<FailureRule['onExitCodes']>,
): { readonly container: string; readonly exitCode: number } | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = podStatusOf(pod)
  for (const { name, state } of [...containerStatuses, ...initContainerStatuses]) {
    const exitCode = state?.terminated?.exitCode
    if (exitCode === undefined || exitCode === 0 || (containerName !== undefined && containerName !== name)) continue
    if (values.includes(exitCode) === (operator === 'In')) return { container: name, exitCode }
  }
  return undefined
}

function matchingCondition(pod: KubeObject, { onPodConditions = [] }: FailureRule): string | undefined {
  const { conditions } = podStatusOf(pod)
  return onPodConditions.find(({ type, status = 'True' }) => conditionOf(conditions, type)?.status === status)?.type
}

/** Which rule of its success policy a Job meets. */
export function metSuccessRule(
  { successPolicy, completions = 0 }: JobSpec,
  completed: ReadonlySet<number>,
): number | undefined {
  const at = (successPolicy?.rules ?? []).findIndex((rule) => isMet(rule, completions, completed))
  return at < 0 ? undefined : at
}

function isMet(
  { succeededIndexes, succeededCount }: SuccessRule,
  completions: number,
  completed: ReadonlySet<number>,
): boolean {
  if (succeededIndexes === undefined) return succeededCount !== undefined && completed.size >= succeededCount
  const wanted = readRanges(succeededIndexes, completions)
  const size = wanted.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  let counted = 0
  for (const index of completed) if (wanted.some(([first, last]) => first <= index && index <= last)) counted++
  return counted >= (succeededCount ?? size)
}
