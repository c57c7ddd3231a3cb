import type { KubeObject } from '../../kube/object.ts'
import type { Status } from '../../kube/status.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { PersistentVolumeClaim, Pod, StatefulSet } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { keepRevisions, plainTemplate } from '../pods/revisions.ts'
import { podOf } from '../pods/template.ts'
import { createPods, deletePods, seenBy, writeClaims, writeStatus } from '../pods/write.ts'
import type { Observed } from './observe.ts'
import type { StatefulSetPlan } from './plan.ts'
import { claimName, statefulSetSpecOf, statefulSetStatusOf, templateFor } from './statefulset.ts'

/** Takes the step, claims before the Pods that use them, then tells how it stands. */
export async function applyStatefulSet(
  plan: StatefulSetPlan,
  { set, claims, revisions }: Observed,
  ports: WorkloadPorts,
  context: TurnContext,
): Promise<Turn> {
  const { client, caches } = ports
  const { log, signal } = context
  const { template = {}, revisionHistoryLimit: limit = 10 } = statefulSetSpecOf(set)
  if (plan.create.length + plan.remove.length > 0) log.debug('a stateful set moves on', { because: plan.because })
  const inUse = new Set(claims.own.map(({ metadata }) => metadata.labels?.['controller-revision-hash'] ?? ''))
  inUse.add(statefulSetStatusOf(set).currentRevision ?? '')
  const isGoing = set.metadata.deletionTimestamp !== undefined
  const history = { owner: set, kind: StatefulSet, template, inUse, limit }
  const kept = isGoing ? undefined : await keepRevisions(history, revisions, ports, context)
  const claimed = await writeClaims(ports, set, { owner: StatefulSet, owned: Pod }, claims)
  const removed = await deletePods(ports, set, plan.remove)
  let unclaimed: Status | undefined
  for (const { ordinal } of plan.create) unclaimed ??= await makeClaims(set, ordinal, ports)
  const pods = plan.create.map(({ ordinal, revision }) => {
    const found = revision === revisions.name ? template : plainTemplate(revisions.templateOf(revision) ?? template)
    return podOf(templateFor(set, found, ordinal, revision), set, StatefulSet, {
      name: `${set.metadata.name ?? ''}-${ordinal}`,
    })
  })
  const created = unclaimed ? { objects: [], refused: unclaimed } : await createPods(ports, set, pods)
  const place = { client, kind: StatefulSet, informer: caches.statefulSets, signal }
  const refusal = await writeStatus(place, set, plan.status)
  await seenBy(caches.pods, [...claimed.written, ...removed.objects, ...created.objects], signal)
  const refused = created.refused ?? removed.refused ?? claimed.refused ?? kept ?? refusal
  if (refused) return retryAfter(refused)
  return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, 'a Pod becomes available')
}

/** Claims outlive their Pods: one that is there already is used again. */
async function makeClaims(
  set: KubeObject,
  ordinal: number,
  { client, caches }: WorkloadPorts,
): Promise<Status | undefined> {
  const { volumeClaimTemplates = [], selector } = statefulSetSpecOf(set)
  const { namespace = '' } = set.metadata
  for (const { metadata = {}, spec = {} } of volumeClaimTemplates) {
    const name = claimName(metadata.name ?? '', `${set.metadata.name ?? ''}-${ordinal}`)
    if (caches.claims.cache.get(`${namespace}/${name}`)) continue
    const labels = { ...metadata.labels, ...selector?.matchLabels }
    const { annotations } = metadata
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, labels, ...(annotations ? { annotations } : {}) },
      spec,
    }
    const made = await client.create({ resource: PersistentVolumeClaim, namespace }, claim)
    if (!made.ok && made.error.reason !== 'AlreadyExists') return made.error
  }
  return undefined
}
