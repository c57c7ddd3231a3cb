import type { KubeObject } from '../../kube/object.ts'
import type { Status } from '../../kube/status.ts'
import { isObject } from '../../lib/json.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Job, Pod } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { generateNameFor, podOf, type PodTemplate } from '../pods/template.ts'
import { createPods, deletePods, seenBy, targetOf, writeClaims, writeStatus } from '../pods/write.ts'
import { INDEX, INDEX_FAILURES, INDEX_IGNORED, isTracked, jobSpecOf, TRACKING } from './job.ts'
import type { Observed } from './observe.ts'
import type { JobPlan, NewPod } from './plan.ts'

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
  const freed = plan.isExcess ? await release(plan.remove, ports) : undefined
  const removed = await deletePods(ports, job, plan.remove)
  const created = await createPods(
    ports,
    job,
    plan.create.map((pod) => podFor(job, pod)),
  )
  const missing = plan.create.length - created.objects.length
  const active = (plan.status.active ?? 0) - missing
  const { active: _planned, ...others } = plan.status
  const status = { ...others, ...(active > 0 ? { active } : {}) }
  const refusal = await writeStatus({ client, kind: Job, informer: caches.jobs, signal }, job, status)
  if (!refusal) for (const note of plan.notes) events.note(job, note)
  // Only what is written down may be forgotten by the Pods.
  const left = refusal ? undefined : await release(plan.letGo, ports)
  await seenBy(caches.pods, [...claimed.written, ...removed.objects, ...created.objects], signal)
  const refused = created.refused ?? removed.refused ?? claimed.refused ?? refusal ?? freed ?? left
  if (refused) return retryAfter(refused)
  return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, plan.because)
}

/** Takes the finalizer off Pods that have been counted, or are not to be. */
export async function release(
  pods: readonly KubeObject[],
  { client }: Pick<WorkloadPorts, 'client'>,
): Promise<Status | undefined> {
  const answers = await Promise.all(
    pods.filter(isTracked).map((pod) => {
      const finalizers = (pod.metadata.finalizers ?? []).filter((one) => one !== TRACKING)
      const body = { metadata: { uid: pod.metadata.uid ?? '', finalizers } }
      return client.patch(targetOf(Pod, pod), { type: 'merge', body })
    }),
  )
  return answers.flatMap((answer) => (answer.ok || answer.error.reason === 'NotFound' ? [] : [answer.error]))[0]
}

function podFor(job: KubeObject, pod: NewPod): KubeObject {
  const { template = {} } = jobSpecOf(job)
  const { metadata = {} } = template
  const tracked = { ...template, metadata: { ...metadata, finalizers: [...(metadata.finalizers ?? []), TRACKING] } }
  const { index } = pod
  if (index === undefined) return podOf(tracked, job, Job, { generateName: generateNameFor(job) })
  const name = `${job.metadata.name ?? ''}-${index}`
  return podOf(indexed(tracked, name, pod, index), job, Job, { generateName: `${name.slice(0, 57)}-` })
}

function indexed(template: PodTemplate, hostname: string, { failures, ignored }: NewPod, index: number): PodTemplate {
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
      annotations: {
        ...metadata.annotations,
        [INDEX]: value,
        ...(failures === undefined ? {} : { [INDEX_FAILURES]: String(failures) }),
        ...(ignored === undefined ? {} : { [INDEX_IGNORED]: String(ignored) }),
      },
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
