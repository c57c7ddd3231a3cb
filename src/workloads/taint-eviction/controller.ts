import { setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isFinished, podSpecOf } from '../../kube/pod.ts'
import { isEqual } from '../../lib/json.ts'
import { type Controller, retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { taintsOf } from '../node-lifecycle/plan.ts'
import { Pod } from '../pods/kinds.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { targetOf } from '../pods/write.ts'
import { planEviction, sinceOf } from './plan.ts'

/** Sends Pods away from nodes whose taints they do not tolerate, or not for longer. */
export function taintEvictionController(ports: WorkloadPorts): Controller {
  const { caches, clock } = ports
  /** Since when each Pod has been under taints. */
  const since = new Map<string, number>()
  const isTainted = (name: string): boolean => {
    const node = caches.nodes.cache.get(`/${name}`)
    return node !== undefined && taintsOf(node).some(({ effect }) => effect === 'NoExecute')
  }
  return {
    name: 'taint-eviction',
    concurrency: 8,
    watches: [
      {
        informer: caches.nodes,
        keys: (node, { previous }) =>
          (previous ? isEqual(taintsOf(node), taintsOf(previous)) : taintsOf(node).length === 0)
            ? []
            : caches.pods.cache.by('node', node.metadata.name ?? '').map(keyOf),
      },
      {
        informer: caches.pods,
        keys: (pod, { key, type }) => {
          const { nodeName } = podSpecOf(pod)
          if (type === 'removed') return since.has(key) ? [key] : []
          return nodeName && isTainted(nodeName) ? [key] : []
        },
      },
    ],
    async reconcile(key, context) {
      const pod = caches.pods.cache.get(key)
      const { nodeName = '', tolerations = [] } = pod ? podSpecOf(pod) : {}
      const node = caches.nodes.cache.get(`/${nodeName}`)
      if (!pod || !node || isFinished(pod) || pod.metadata.deletionTimestamp !== undefined) {
        since.delete(key)
        return done
      }
      const nowMs = clock.now()
      const taints = taintsOf(node)
      const firstSeenMs = since.get(key) ?? nowMs
      const plan = planEviction({ taints, tolerations, sinceMs: sinceOf(taints, firstSeenMs), nowMs })
      if (plan.do === 'wait') {
        since.set(key, firstSeenMs)
        return again(plan.againAfterMs, plan.because)
      }
      if (plan.do === 'stay') {
        if (since.delete(key)) {
          const message = `Cancelling deletion of Pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`
          ports.events.note(pod, { type: 'Normal', reason: 'TaintManagerEviction', message })
        }
        return done
      }
      since.delete(key)
      context.log.info('sending a Pod away', { because: plan.because })
      return evict(pod, ports, context)
    },
  }
}

async function evict(
  pod: KubeObject,
  { client, clock, events }: WorkloadPorts,
  { signal }: TurnContext,
): Promise<Turn> {
  const { namespace = '', name = '', uid } = pod.metadata
  const message = `Marking for deletion Pod ${namespace}/${name}`
  events.note(pod, { type: 'Normal', reason: 'TaintManagerEviction', message })
  const status = podStatusOf(pod)
  const conditions = setCondition(
    status.conditions,
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    },
    clock.now(),
  )
  const target = targetOf(Pod, pod)
  const next = { ...pod, status: { ...status, conditions } }
  const told = await client.update({ ...target, subresource: 'status' }, next, { signal })
  if (!told.ok) return told.error.reason === 'NotFound' ? done : retryAfter(told.error)
  const gone = await client.delete(target, uid === undefined ? {} : { preconditions: { uid } })
  return gone.ok || gone.error.reason === 'NotFound' ? done : retryAfter(gone.error)
}
