import type { KubeObject } from '../../kube/object.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { namespaces } from '../collections.ts'
import { emptyNamespace } from './observe.ts'
import { CONTENT, isToBeEmptied, type Plan, planNamespace } from './plan.ts'

/** Empties Namespaces that were deleted, and lets them go when nothing is left in them. */
export function namespaceController({ client, clock, informers }: ClusterPorts): Controller {
  const informer = informers.shared({ collection: { resource: namespaces } })
  return {
    name: 'namespace',
    watches: [{ informer }],
    concurrency: 4,
    retryDelay: { firstMs: 100, longestMs: 30_000 },
    async reconcile(key, { log, signal }) {
      const cached = informer.cache.get(key)
      if (!cached || !isToBeEmptied(cached)) return done
      const seen = await emptyNamespace(cached, { client, clock }, signal)
      const plan = planNamespace(seen)
      log.info('deleting a namespace', { do: plan.do, because: plan.because })
      return apply(cached, plan, signal)
    },
  }

  async function apply(namespace: KubeObject, plan: Plan, signal: AbortSignal): Promise<Turn> {
    const { name = '' } = namespace.metadata
    const status = { ...(namespace['status'] as object), phase: 'Terminating', conditions: plan.conditions }
    const target = { resource: namespaces, name }
    const told = await client.update({ ...target, subresource: 'status' }, { ...namespace, status }, { signal })
    if (!told.ok) return told.error.reason === 'NotFound' ? done : retryAfter(told.error)
    if (plan.do === 'wait') return again(plan.afterMs, plan.because)
    const { finalizers = [], ...spec } = told.value['spec'] as { readonly finalizers?: readonly string[] }
    const left = finalizers.filter((finalizer) => finalizer !== CONTENT)
    const finished = { ...told.value, spec: { ...spec, finalizers: left } }
    const released = await client.update({ ...target, subresource: 'finalize' }, finished, { signal })
    return released.ok || released.error.reason === 'NotFound' ? done : retryAfter(released.error)
  }
}
