import type { Condition } from '../../kube/condition.ts'
import { isTrue } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { own } from '../../lib/json.ts'
import type { PodTemplate } from '../pods/template.ts'

/** What a Job asks for. */
export interface JobSpec {
  readonly parallelism?: number
  readonly completions?: number
  readonly completionMode?: string
  readonly backoffLimit?: number
  readonly activeDeadlineSeconds?: number
  readonly suspend?: boolean
  readonly template?: PodTemplate
  readonly backoffLimitPerIndex?: number
  readonly maxFailedIndexes?: number
  readonly podReplacementPolicy?: string
  readonly podFailurePolicy?: { readonly rules?: readonly FailureRule[] }
  readonly successPolicy?: { readonly rules?: readonly SuccessRule[] }
  readonly managedBy?: string
}

/** What a Pod's failure means for its Job. */
export interface FailureRule {
  readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count'
  readonly onExitCodes?: {
    readonly containerName?: string
    readonly operator: 'In' | 'NotIn'
    readonly values: readonly number[]
  }
  readonly onPodConditions?: readonly { readonly type: string; readonly status?: string }[]
}

/** When a Job has succeeded without all of its indexes. */
export interface SuccessRule {
  readonly succeededIndexes?: string
  readonly succeededCount?: number
}

export interface JobStatus {
  readonly active?: number
  readonly ready?: number
  readonly terminating?: number
  readonly succeeded?: number
  readonly failed?: number
  readonly startTime?: string
  readonly completionTime?: string
  readonly completedIndexes?: string
  readonly conditions?: readonly Condition[]
  readonly failedIndexes?: string
  /** Pods that have ended, are not in the counts yet, and still carry the finalizer. */
  readonly uncountedTerminatedPods?: { readonly succeeded?: readonly string[]; readonly failed?: readonly string[] }
}

/** The spec of a Job. */
export const jobSpecOf = (job: KubeObject): JobSpec => job['spec'] ?? {}

/** The status of a Job. */
export const jobStatusOf = (job: KubeObject): JobStatus => job['status'] ?? {}

/** Complete or failed, for good. */
export const isJobFinished = (job: KubeObject): boolean =>
  isTrue(jobStatusOf(job).conditions, 'Complete') || isTrue(jobStatusOf(job).conditions, 'Failed')

/** What keeps an ended Pod until it has been counted. */
export const TRACKING = 'batch.kubernetes.io/job-tracking'
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count'
export const INDEX_IGNORED = 'batch.kubernetes.io/job-index-ignored-failure-count'

/** The Pod has not been counted, or its count has not been written. */
export const isTracked = ({ metadata }: KubeObject): boolean => metadata.finalizers?.includes(TRACKING) ?? false

/** A number that a Pod carries in an annotation. */
export function countIn({ metadata }: KubeObject, name: string): number {
  const text = metadata.annotations && own(metadata.annotations, name)
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : 0
}

export const INDEX = 'batch.kubernetes.io/job-completion-index'

/** Which of the indexes a Pod works on. */
export function indexOf({ metadata }: KubeObject): number | undefined {
  const text = metadata.annotations && own(metadata.annotations, INDEX)
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

/** More indexes than these are not told apart: what a status or a policy names must not fill the memory. */
const INDEXES_MOST = 1_000_000

/** `0-2,5` as pairs of the first and the last. */
export function readRanges(text: string, below: number): readonly (readonly [first: number, last: number])[] {
  return text.split(',').flatMap((part) => {
    const range = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(part)
    const first = Number(range?.[1])
    const last = Math.min(Number(range?.[2] ?? range?.[1]), below - 1)
    return range && first <= last ? [[first, last] as const] : []
  })
}

/** `0-2,5` as numbers. */
export function readIndexes(text: string, below: number): ReadonlySet<number> {
  const indexes = new Set<number>()
  for (const [first, last] of readRanges(text, below))
    for (let index = first; index <= last && indexes.size < INDEXES_MOST; index++) indexes.add(index)
  return indexes
}

/** Numbers as `0-2,5`. */
export function writeIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = []
  const sorted = [...indexes].toSorted((a, b) => a - b)
  for (let at = 0; at < sorted.length;) {
    let end = at
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++
    parts.push(end === at ? `${sorted[at]}` : `${sorted[at]}${end === at + 1 ? ',' : '-'}${sorted[end]}`)
    at = end + 1
  }
  return parts.join(',')
}
