import type { Status } from '../../kube/status.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Pod, ReplicaSet } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { generateNameFor, podOf } from '../pods/template.ts'
import { createPods, deletePods, seenBy, writeClaims, writeStatus, type Written } from '../pods/write.ts'
import type { Observed } from './observe.ts'
import { type Failure, nextLookMs, planReplicaSetStatus, type ReplicaSetPlan } from './plan.ts'
import { replicaSetSpecOf } from './replicaset.ts'

/** Makes, removes and takes over Pods as planned, then tells how it stands. */
export async function applyReplicaSet(
  plan: ReplicaSetPlan,
  seen: Observed,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { set, claims } = seen
  const claimed = await writeClaims(ports, set, { owner: ReplicaSet, owned: Pod }, claims)
  if (plan.do !== 'keep') log.debug('scaling a replica set', { do: plan.do, because: plan.because })
  const written = await scale(plan, seen, ports)
  const place = { client: ports.client, kind: ReplicaSet, informer: ports.caches.replicaSets, signal }
  const refusal = await writeStatus(place, set, planReplicaSetStatus(seen, failureOf(plan, written.refused)))
  await seenBy(ports.caches.pods, [...claimed.written, ...written.objects], signal)
  const refused = written.refused ?? claimed.refused ?? refusal
  if (refused) return retryAfter(refused)
  const waitMs = nextLookMs(seen)
  return waitMs === undefined ? done : again(waitMs, 'a Pod becomes available')
}

async function scale(plan: ReplicaSetPlan, { set }: Observed, ports: WorkloadPorts): Promise<Written> {
  switch (plan.do) {
    case 'create': {
      const pod = podOf(replicaSetSpecOf(set).template ?? {}, set, ReplicaSet, { generateName: generateNameFor(set) })
      return createPods(ports, set, Array.from<typeof pod>({ length: plan.count }).fill(pod))
    }
    case 'delete':
      return deletePods(ports, set, plan.pods)
    case 'keep':
      return { objects: [] }
  }
}

function failureOf(plan: ReplicaSetPlan, refused: Status | undefined): Failure | undefined {
  if (!refused) return undefined
  return { reason: plan.do === 'create' ? 'FailedCreate' : 'FailedDelete', message: refused.message }
}
