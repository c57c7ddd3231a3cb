import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Job, Pod } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { generateNameFor, podOf, type PodTemplate } from '../pods/template.ts'
import { createPods, deletePods, seenBy, writeClaims, writeStatus } from '../pods/write.ts'
import { INDEX, jobSpecOf } from './job.ts'
import type { Observed } from './observe.ts'
import type { JobPlan } from './plan.ts'

/** Makes and removes Pods as planned, then tells how it stands. */
export async function applyJob(
  plan: JobPlan,
  { job, claims }: Observed,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches, events } = ports
  if (plan.create.length + plan.remove.length > 0) log.debug('working on a job', { because: plan.because })
  const claimed = await writeClaims(ports, job, { owner: Job, owned: Pod }, claims)
  const removed = await deletePods(ports, job, plan.remove)
  const created = await createPods(
    ports,
    job,
    plan.create.map(({ index }) => podFor(job, index)),
  )
  const missing = plan.create.length - created.objects.length
  const active = (plan.status.active ?? 0) - missing
  const { active: _planned, ...others } = plan.status
  const status = { ...others, ...(active > 0 ? { active } : {}) }
  const refusal = await writeStatus({ client, kind: Job, informer: caches.jobs, signal }, job, status)
  if (!refusal) for (const note of plan.notes) events.note(job, note)
  await seenBy(caches.pods, [...claimed.written, ...removed.objects, ...created.objects], signal)
  const refused = created.refused ?? removed.refused ?? claimed.refused ?? refusal
  if (refused) return retryAfter(refused)
  return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, plan.because)
}

function podFor(job: KubeObject, index: number | undefined): KubeObject {
  const { template = {} } = jobSpecOf(job)
  if (index === undefined) return podOf(template, job, Job, { generateName: generateNameFor(job) })
  const name = `${job.metadata.name ?? ''}-${index}`
  return podOf(indexed(template, name, index), job, Job, { generateName: `${name.slice(0, 57)}-` })
}

function indexed(template: PodTemplate, hostname: string, index: number): PodTemplate {
  const { metadata = {}, spec = {} } = template
  const value = String(index)
  const withIndex = (list: unknown): unknown =>
    Array.isArray(list)
      ? list.map((container: unknown) => (isObject(container) ? withVariable(container, value) : container))
      : list
  return {
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [INDEX]: value },
      annotations: { ...metadata.annotations, [INDEX]: value },
    },
    spec: {
      ...spec,
      hostname: spec['hostname'] ?? hostname,
      containers: withIndex(spec['containers']),
      ...(spec['initContainers'] === undefined ? {} : { initContainers: withIndex(spec['initContainers']) }),
    },
  }
}

const VARIABLE = 'JOB_COMPLETION_INDEX'

function withVariable(container: Readonly<Record<string, unknown>>, value: string): Readonly<Record<string, unknown>> {
  const env: readonly unknown[] = Array.isArray(container['env']) ? container['env'] : []
  if (env.some((one) => isObject(one) && one['name'] === VARIABLE)) return container
  return { ...container, env: [...env, { name: VARIABLE, value }] }
}
