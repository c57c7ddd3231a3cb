import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'
import type { ApiResult } from '../../kube/status.ts'
import { type Controller, type TurnContext } from '../../runtime/controller.ts'
import { again } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { namespaces, nodes, pods } from '../collections.ts'
import { isNodeReady, taintsOf } from '../node-lifecycle/plan.ts'
import { FINISHED_KEPT, planPodGarbage, type Removal } from './plan.ts'

const EVERY_MS = 20_000
/** A node that has not been seen for so long is asked for once more, and then counts as gone. */
const QUARANTINE_MS = 40_000

/** Removes Pods that nobody will look after any more. */
export function podGarbage(ports: ClusterPorts): Controller {
  const { client, clock, informers } = ports
  const known = informers.shared({ collection: { resource: nodes } })
  const all = informers.shared({ collection: { resource: pods } })
  const missingSince = new Map<string, number>()

  /** The nodes that Pods name and that are not there, for long enough and at a second look. */
  const goneNodes = async (signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const named = new Set(all.cache.list().flatMap((pod) => podSpecOf(pod).nodeName || []))
    for (const name of missingSince.keys())
      if (!named.has(name) || known.cache.get(`/${name}`)) missingSince.delete(name)
    const gone = new Set<string>()
    for (const name of named) {
      if (known.cache.get(`/${name}`)) continue
      const since = missingSince.get(name) ?? clock.now()
      missingSince.set(name, since)
      if (clock.now() - since < QUARANTINE_MS) continue
      const node = await client.get({ resource: nodes, name }, { signal })
      if (!node.ok && node.error.reason === 'NotFound') gone.add(name)
    }
    return gone
  }

  /** Both: whoever says so also knows that it does not run. */
  const isOutOfService = (name: string): boolean => {
    const node = known.cache.get(`/${name}`)
    const isTold = node !== undefined && taintsOf(node).some(({ key }) => key === 'node.kubernetes.io/out-of-service')
    return isTold && !isNodeReady(node)
  }

  const remove = async ({ pod, fails, because }: Removal, { log, signal }: TurnContext): Promise<void> => {
    const { namespace = '', name = '', uid } = pod.metadata
    log.info('removing a Pod', { namespace, name, because })
    const target = { resource: pods, namespace, name }
    const outcome: ApiResult<unknown> = fails
      ? await client.update({ ...target, subresource: 'status' }, failed(pod, clock.now(), because), { signal })
      : { ok: true, value: undefined }
    // One that has changed meanwhile is looked at again the next time.
    if (!outcome.ok) return
    await client.delete(target, { gracePeriodSeconds: 0, signal, ...(uid ? { preconditions: { uid } } : {}) })
  }

  return {
    name: 'pod-garbage-collector',
    watches: [
      { informer: known, keys: () => ['all'] },
      { informer: all, keys: (pod) => (isStranded(pod) ? ['all'] : []) },
      // There is always one: it starts the rounds.
      { informer: informers.shared({ collection: { resource: namespaces } }), keys: () => ['all'] },
    ],
    async reconcile(_key, context) {
      const gone = await goneNodes(context.signal)
      const seen = {
        pods: all.cache.list(),
        isGoneNode: (name: string) => gone.has(name),
        isOutOfService,
        kept: FINISHED_KEPT,
      }
      for (const removal of planPodGarbage(seen)) await remove(removal, context)
      return again(EVERY_MS, 'Pods are looked through every 20 seconds')
    },
  }
}

/** It was deleted before any node had heard of it. */
const isStranded = (pod: KubeObject): boolean =>
  pod.metadata.deletionTimestamp !== undefined && !podSpecOf(pod).nodeName

function failed(pod: KubeObject, nowMs: number, because: string): KubeObject {
  const status = (pod['status'] ?? {}) as { readonly conditions?: readonly Condition[] }
  const target: Condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: `PodGC: ${because}`,
  }
  const conditions = setCondition(status.conditions, target, nowMs)
  return { ...pod, status: { ...status, phase: 'Failed', conditions } }
}
