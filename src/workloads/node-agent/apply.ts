import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Pod } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { targetOf, writeStatus } from '../pods/write.ts'
import type { Observed } from './observe.ts'
import type { PodPlan } from './ending.ts'
import type { Runtime } from './runtime.ts'

/** Writes what became of a Pod, or takes it away. */
export async function applyPod(
  plan: PodPlan,
  { pod }: Observed,
  ports: WorkloadPorts & { readonly runtime: Runtime | undefined },
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches, events, runtime } = ports
  for (const { run, graceMs } of plan.stops ?? []) runtime?.stop(run, graceMs)
  const place = { client, kind: Pod, informer: caches.pods, signal }
  switch (plan.do) {
    case 'wait':
      return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, plan.because)
    case 'report': {
      for (const run of plan.starts) runtime?.start(run)
      const refused = await writeStatus(place, pod, plan.status)
      if (refused) return retryAfter(refused)
      for (const note of plan.notes) events.note(pod, note)
      return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, plan.because)
    }
    case 'remove': {
      log.debug('removing a pod', { because: plan.because })
      // Whoever holds it wants to know how it ended.
      const isHeld = (pod.metadata.finalizers ?? []).length > 0
      const refused = isHeld ? await writeStatus(place, pod, plan.status) : undefined
      if (refused) return retryAfter(refused)
      const { uid } = pod.metadata
      const gone = await client.delete(targetOf(Pod, pod), {
        gracePeriodSeconds: 0,
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      })
      return gone.ok || gone.error.reason === 'NotFound' || gone.error.reason === 'Conflict'
        ? done
        : retryAfter(gone.error)
    }
  }
}
