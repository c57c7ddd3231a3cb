import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { DaemonSet, Pod } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { keepRevisions } from '../pods/revisions.ts'
import { generateNameFor, podOf } from '../pods/template.ts'
import { createPods, deletePods, seenBy, writeClaims, writeStatus } from '../pods/write.ts'
import { daemonSetSpecOf, templateFor } from './daemonset.ts'
import type { Observed } from './observe.ts'
import type { DaemonSetPlan } from './plan.ts'

/** Makes and removes Pods as planned, then tells how it stands. */
export async function applyDaemonSet(
  plan: DaemonSetPlan,
  { set, claims, revisions }: Observed,
  ports: WorkloadPorts,
  context: TurnContext,
): Promise<Turn> {
  const { client, caches } = ports
  const { log, signal } = context
  const { template = {}, revisionHistoryLimit: limit = 10 } = daemonSetSpecOf(set)
  if (plan.create.length + plan.remove.length > 0) log.debug('tending nodes', { because: plan.because })
  const inUse = new Set(
    claims.own.map(
      ({ metadata }) => `${set.metadata.name ?? ''}-${metadata.labels?.['controller-revision-hash'] ?? ''}`,
    ),
  )
  const isGoing = set.metadata.deletionTimestamp !== undefined
  const history = { owner: set, kind: DaemonSet, template, inUse, limit }
  const kept = isGoing ? undefined : await keepRevisions(history, revisions, ports, context)
  const claimed = await writeClaims(ports, set, { owner: DaemonSet, owned: Pod }, claims)
  const removed = await deletePods(ports, set, plan.remove)
  const created = await createPods(
    ports,
    set,
    plan.create.map((node) =>
      podOf(templateFor(template, node, revisions.hash), set, DaemonSet, { generateName: generateNameFor(set) }),
    ),
  )
  const refusal = await writeStatus({ client, kind: DaemonSet, informer: caches.daemonSets, signal }, set, plan.status)
  await seenBy(caches.pods, [...claimed.written, ...removed.objects, ...created.objects], signal)
  const refused = created.refused ?? removed.refused ?? claimed.refused ?? kept ?? refusal
  if (refused) return retryAfter(refused)
  return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, 'a Pod becomes available')
}
