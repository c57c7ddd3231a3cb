import type { KubeObject, ObjectMeta } from '../../kube/object.ts'

/** What a CronJob asks for. */
export interface CronJobSpec {
  readonly schedule?: string
  readonly timeZone?: string
  readonly concurrencyPolicy?: string
  readonly startingDeadlineSeconds?: number
  readonly suspend?: boolean
  readonly successfulJobsHistoryLimit?: number
  readonly failedJobsHistoryLimit?: number
  readonly jobTemplate?: { readonly metadata?: ObjectMeta; readonly spec?: Readonly<Record<string, unknown>> }
}

export interface CronJobStatus {
  readonly active?: readonly object[]
  readonly lastScheduleTime?: string
  readonly lastSuccessfulTime?: string
}

/** The spec of a CronJob. */
export const cronJobSpecOf = (cronJob: KubeObject): CronJobSpec => cronJob['spec'] ?? {}

/** The status of a CronJob. */
export const cronJobStatusOf = (cronJob: KubeObject): CronJobStatus => cronJob['status'] ?? {}
