import type { KubeObject } from '../../kube/object.ts'
import { controllerReference } from '../../kube/owner.ts'
import { formatTime } from '../../kube/time.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { CronJob, Job } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { seenBy, targetOf, writeStatus } from '../pods/write.ts'
import { cronJobSpecOf } from './cronjob.ts'
import type { Observed } from './observe.ts'
import type { CronJobPlan } from './plan.ts'

/** Removes old Jobs, starts the one that is due, and remembers for which time. */
export async function applyCronJob(
  plan: CronJobPlan,
  { cronJob }: Observed,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches, events } = ports
  const written: KubeObject[] = []
  for (const job of plan.remove) {
    const gone = await client.delete(targetOf(Job, job), { propagationPolicy: 'Background' })
    if (!gone.ok && gone.error.reason !== 'NotFound') return retryAfter(gone.error)
    if (gone.ok) {
      const message = `Deleted job ${job.metadata.name ?? ''}`
      events.note(cronJob, { type: 'Normal', reason: 'SuccessfulDelete', message })
    }
  }
  if (plan.startMs !== undefined) {
    log.debug('starting a job', { because: plan.because })
    const namespace = cronJob.metadata.namespace ?? ''
    const made = await client.create({ resource: Job, namespace }, jobFor(cronJob, plan.startMs))
    if (!made.ok && made.error.reason !== 'AlreadyExists') {
      events.note(cronJob, {
        type: 'Warning',
        reason: 'FailedCreate',
        message: `Error creating job: ${made.error.message}`,
      })
      return retryAfter(made.error)
    }
    if (made.ok) {
      written.push(made.value)
      events.note(cronJob, {
        type: 'Normal',
        reason: 'SuccessfulCreate',
        message: `Created job ${made.value.metadata.name ?? ''}`,
      })
    }
  }
  const place = { client, kind: CronJob, informer: caches.cronJobs, signal }
  const refused = await writeStatus(place, cronJob, plan.status)
  await seenBy(caches.jobs, written, signal)
  if (refused) return retryAfter(refused)
  for (const note of plan.notes) events.note(cronJob, note)
  return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, 'the schedule comes up')
}

/** Named after its minute, so that one time is never started twice. */
function jobFor(cronJob: KubeObject, startMs: number): KubeObject {
  const { metadata = {}, spec = {} } = cronJobSpecOf(cronJob).jobTemplate ?? {}
  const { labels, annotations } = metadata
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cronJob.metadata.name ?? ''}-${Math.floor(startMs / 60_000)}`,
      namespace: cronJob.metadata.namespace ?? '',
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': formatTime(startMs) },
      ownerReferences: [controllerReference(cronJob, CronJob)],
    },
    spec,
  }
}
