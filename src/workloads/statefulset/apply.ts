import { apiVersionOf, type Kind } from '../../kube/gvk.ts'
import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import type { Status } from '../../kube/status.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { PersistentVolumeClaim, Pod, StatefulSet } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { keepRevisions, plainTemplate } from '../pods/revisions.ts'
import { podOf } from '../pods/template.ts'
import { createPods, deletePods, seenBy, targetOf, writeClaims, writeStatus } from '../pods/write.ts'
import type { Observed } from './observe.ts'
import { claimOwnerOf, type StatefulSetPlan } from './plan.ts'
import { claimName, statefulSetSpecOf, statefulSetStatusOf, templateFor } from './statefulset.ts'

/** Takes the step, claims before the Pods that use them, then tells how it stands. */
export async function applyStatefulSet(
  plan: StatefulSetPlan,
  seen: Observed,
  ports: WorkloadPorts,
  context: TurnContext,
): Promise<Turn> {
  const { client, caches } = ports
  const { set, claims, revisions } = seen
  const { log, signal } = context
  const { template = {}, revisionHistoryLimit: limit = 10 } = statefulSetSpecOf(set)
  if (plan.create.length + plan.remove.length > 0) log.debug('a stateful set moves on', { because: plan.because })
  const inUse = new Set(claims.own.map(({ metadata }) => metadata.labels?.['controller-revision-hash'] ?? ''))
  inUse.add(statefulSetStatusOf(set).currentRevision ?? '')
  const isGoing = set.metadata.deletionTimestamp !== undefined
  const history = { owner: set, kind: StatefulSet, template, inUse, limit }
  const kept = isGoing ? undefined : await keepRevisions(history, revisions, ports, context)
  const claimed = await writeClaims(ports, set, { owner: StatefulSet, owned: Pod }, claims)
  const unowned = await ownClaims(seen, ports)
  const removed = unowned ? { objects: [] } : await deletePods(ports, set, plan.remove)
  let unclaimed: Status | undefined
  for (const ordinal of [...plan.create.map((one) => one.ordinal), ...plan.unclaimed])
    unclaimed ??= await makeClaims(seen, ordinal, ports)
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
  const refused = created.refused ?? removed.refused ?? claimed.refused ?? kept ?? refusal ?? unowned
  if (refused) return retryAfter(refused)
  return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, 'a Pod becomes available')
}

/** Claims outlive their Pods: one that is there already is used again. */
async function makeClaims(
  seen: Observed,
  ordinal: number,
  { client, caches }: WorkloadPorts,
): Promise<Status | undefined> {
  const { set } = seen
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
      metadata: {
        name,
        namespace,
        labels,
        ...(annotations ? { annotations } : {}),
        ...(claimOwnerOf(seen, ordinal) === 'set' ? { ownerReferences: [referenceTo(set, StatefulSet)] } : {}),
      },
      spec,
    }
    const made = await client.create({ resource: PersistentVolumeClaim, namespace }, claim)
    if (!made.ok && made.error.reason !== 'AlreadyExists') return made.error
  }
  return undefined
}

const referenceTo = ({ metadata }: KubeObject, kind: Kind): OwnerReference => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
})

/** Gives claims the owners that the retention policy asks for, before the Pods that they may go with. */
async function ownClaims(seen: Observed, { client, caches }: WorkloadPorts): Promise<Status | undefined> {
  const { set, pods } = seen
  const { volumeClaimTemplates = [] } = statefulSetSpecOf(set)
  const { namespace = '', uid: setUid } = set.metadata
  for (const [ordinal, pod] of pods) {
    const owner = claimOwnerOf(seen, ordinal)
    const wanted = owner === 'set' ? [referenceTo(set, StatefulSet)] : owner === 'pod' ? [referenceTo(pod, Pod)] : []
    for (const { metadata = {} } of volumeClaimTemplates) {
      const name = claimName(metadata.name ?? '', pod.metadata.name ?? '')
      const claim = caches.claims.cache.get(`${namespace}/${name}`)
      if (!claim) continue
      const before = claim.metadata.ownerReferences ?? []
      const isOurs = (one: OwnerReference): boolean =>
        one.uid === setUid || (one.kind === 'Pod' && one.name === pod.metadata.name)
      const after = [...before.filter((one) => !isOurs(one)), ...wanted]
      if (before.length === after.length && before.every((one) => after.some(({ uid }) => uid === one.uid))) continue
      const next = { ...claim, metadata: { ...claim.metadata, ownerReferences: after } }
      const written = await client.update(targetOf(PersistentVolumeClaim, claim), next)
      if (!written.ok && written.error.reason !== 'NotFound') return written.error
    }
  }
  return undefined
}
