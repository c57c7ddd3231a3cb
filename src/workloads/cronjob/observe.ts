import type { KubeObject } from '../../kube/object.ts'
import type { WorkloadPorts } from '../pods/ports.ts'

/** Everything that a CronJob's next step depends on. */
export interface Observed {
  readonly cronJob: KubeObject
  readonly jobs: readonly KubeObject[]
  readonly nowMs: number
}

/** Reads a CronJob and its Jobs from the caches; undefined when it is gone. */
export function observeCronJob(key: string, { caches, clock }: WorkloadPorts): Observed | undefined {
  const cronJob = caches.cronJobs.cache.get(key)
  if (!cronJob) return undefined
  const jobs = caches.jobs.cache.by('controller', cronJob.metadata.uid ?? '')
  return { cronJob, jobs, nowMs: clock.now() }
}
