import type { KubeObject } from '../../kube/object.ts'
import { podPhaseOf } from '../../kube/pod.ts'
import { isActive } from '../pods/pod-state.ts'
import { type Judgement, judgeFailure } from './failure-policy.ts'
import {
  countIn,
  INDEX_FAILURES,
  INDEX_IGNORED,
  indexOf,
  isTracked,
  type JobSpec,
  type JobStatus,
  readIndexes,
} from './job.ts'

// Semantics: kubernetes 1.33, pkg/controller/job/job_controller.go, trackJobStatusAndRemoveFinalizers.
//
//   ended, with finalizer ──> status.uncountedTerminatedPods ──> finalizer removed ──> status.succeeded / failed
//
// Whatever is interrupted, a Pod is counted once: while it has its finalizer it is there, and its uid tells.

/** What has become of a Job's Pods so far. */
export interface Tally {
  readonly active: readonly KubeObject[]
  /** On their way out, and not ended. */
  readonly going: readonly KubeObject[]
  /** All that have ended, those included that are not in the counts of the status yet. */
  readonly succeeded: number
  readonly failed: number
  readonly completed: ReadonlySet<number>
  readonly failedIndexes: ReadonlySet<number>
  readonly counted: { readonly succeeded: number; readonly failed: number }
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
  /** Pods that may lose their finalizer once the status is written. */
  readonly letGo: readonly KubeObject[]
  /** The failure that ends the Job, by its own policy. */
  readonly fatal: Judgement | undefined
  /** The Pod that failed last for each index that is to be tried again; it carries how often it was. */
  readonly lastFailed: ReadonlyMap<number, FailedTry>
}

export interface FailedTry {
  readonly pod: KubeObject
  /** What the next Pod of the index carries. */
  readonly failures: number
  readonly ignored: number
}

/** The Pod has failed for its Job: also one that was deleted, unless only ended Pods are replaced. */
export function hasFailed(pod: KubeObject, spec: JobSpec): boolean {
  const phase = podPhaseOf(pod)
  if (phase === 'Failed' || phase === 'Succeeded') return phase === 'Failed'
  return spec.podReplacementPolicy !== 'Failed' && pod.metadata.deletionTimestamp !== undefined
}

interface Failure {
  readonly pod: KubeObject
  readonly judgement: Judgement
}

/** The books while they are being made up. */
interface Books {
  readonly completed: Set<number>
  readonly failedIndexes: Set<number>
  readonly succeeded: Set<string>
  readonly failed: Set<string>
  readonly letGo: KubeObject[]
}

/** Counts what the Pods tell on top of what the status remembers. */
export function tallyOf(spec: JobSpec, before: JobStatus, pods: readonly KubeObject[], isEnding: boolean): Tally {
  const isIndexed = spec.completionMode === 'Indexed'
  const completions = spec.completions ?? 0
  const settled = settle(before, pods)
  const books: Books = {
    completed: new Set(readIndexes(before.completedIndexes ?? '', completions)),
    failedIndexes: new Set(readIndexes(before.failedIndexes ?? '', completions)),
    succeeded: new Set(settled.uncounted.succeeded),
    failed: new Set(settled.uncounted.failed),
    letGo: [],
  }
  const { completed, failedIndexes, succeeded, failed, letGo } = books
  const failures = enterEnded(spec, pods, books, isEnding)
  const lastFailed = isIndexed ? triesOf(spec, failures, pods, books) : new Map<number, FailedTry>()
  let retained = 0
  for (const { pod, judgement } of failures) {
    const index = indexOf(pod) ?? -1
    const isCounted = judgement.action !== 'Ignore'
    // It carries the count that the next one needs.
    if (!isEnding && lastFailed.get(index)?.pod === pod) {
      retained += Number(isCounted)
      continue
    }
    if (isCounted) failed.add(pod.metadata.uid ?? '')
    letGo.push(pod)
  }
  return {
    active: pods.filter(isActive),
    going: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !hasEnded(pod)),
    succeeded: isIndexed ? completed.size : settled.succeeded + succeeded.size,
    failed: settled.failed + failed.size + retained,
    completed,
    failedIndexes,
    counted: { succeeded: isIndexed ? completed.size : settled.succeeded, failed: settled.failed },
    uncounted: { succeeded: [...succeeded].toSorted(), failed: [...failed].toSorted() },
    letGo,
    fatal: failures.find(({ judgement }) => judgement.action === 'FailJob')?.judgement,
    lastFailed,
  }
}

/** Enters the Pods that have succeeded, and answers those that have failed and are not known yet. */
function enterEnded(
  spec: JobSpec,
  pods: readonly KubeObject[],
  { completed, succeeded, failed, letGo }: Books,
  isEnding: boolean,
): readonly Failure[] {
  const isIndexed = spec.completionMode === 'Indexed'
  return pods.flatMap((pod): readonly Failure[] => {
    if (!isTracked(pod)) return []
    const uid = pod.metadata.uid ?? ''
    if (podPhaseOf(pod) === 'Succeeded' && !failed.has(uid)) {
      const index = indexOf(pod)
      if (!isIndexed) succeeded.add(uid)
      else if (index !== undefined && index < (spec.completions ?? 0)) completed.add(index)
      letGo.push(pod)
      return []
    }
    if (podPhaseOf(pod) !== 'Succeeded' && !hasFailed(pod, spec) && !isGone(pod, isEnding)) return []
    if (!succeeded.has(uid) && !failed.has(uid)) return [{ pod, judgement: judgeFailure(pod, spec) }]
    letGo.push(pod)
    return []
  })
}

const hasEnded = (pod: KubeObject): boolean => ['Succeeded', 'Failed'].includes(podPhaseOf(pod))

/** When its Job has come to its end, a Pod that was sent away is waited for no longer. */
const isGone = (pod: KubeObject, isEnding: boolean): boolean => isEnding && pod.metadata.deletionTimestamp !== undefined

const hasActive = (pods: readonly KubeObject[], index: number): boolean =>
  pods.some((pod) => isActive(pod) && indexOf(pod) === index)

/** Pods that have lost their finalizer, or are gone, move from the names into the counts. */
function settle(
  { succeeded = 0, failed = 0, uncountedTerminatedPods = {} }: JobStatus,
  pods: readonly KubeObject[],
): {
  readonly succeeded: number
  readonly failed: number
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
} {
  const waiting = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ''))
  const { succeeded: good = [], failed: bad = [] } = uncountedTerminatedPods
  const keep = (uids: readonly string[]): readonly string[] => uids.filter((uid) => waiting.has(uid))
  const [keptGood, keptBad] = [keep(good), keep(bad)]
  return {
    succeeded: succeeded + good.length - keptGood.length,
    failed: failed + bad.length - keptBad.length,
    uncounted: { succeeded: keptGood, failed: keptBad },
  }
}

/** Where indexes have limits of their own: which have failed for good, and what the others carry on. */
function triesOf(
  spec: JobSpec,
  failures: readonly Failure[],
  pods: readonly KubeObject[],
  { completed, failedIndexes }: Books,
): ReadonlyMap<number, FailedTry> {
  const { backoffLimitPerIndex: limit, completions = 0 } = spec
  const last = new Map<number, FailedTry>()
  if (limit === undefined) return last
  const latest = new Map<number, Failure>()
  for (const failure of failures) {
    const index = indexOf(failure.pod)
    if (index === undefined || index >= completions || completed.has(index)) continue
    const known = latest.get(index)
    if (!known || triesIn(known.pod) <= triesIn(failure.pod)) latest.set(index, failure)
  }
  for (const [index, { pod, judgement }] of latest) {
    const isIgnored = judgement.action === 'Ignore'
    const failures = countIn(pod, INDEX_FAILURES)
    if (judgement.action === 'FailIndex' || (!isIgnored && failures >= limit)) failedIndexes.add(index)
    else if (!hasActive(pods, index))
      last.set(index, {
        pod,
        failures: failures + (isIgnored ? 0 : 1),
        ignored: countIn(pod, INDEX_IGNORED) + (isIgnored ? 1 : 0),
      })
  }
  return last
}

const triesIn = (pod: KubeObject): number => countIn(pod, INDEX_FAILURES) + countIn(pod, INDEX_IGNORED)
