import type { KubeObject } from '../../kube/object.ts'
import { compileSelector, type LabelSelectorObject, matchesLabels } from '../../kube/selector.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { again, done } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { disruptionBudgets, pods } from '../collections.ts'
import { observeWanted } from './observe.ts'
import { needsWanted, planBudget } from './plan.ts'

/** How many Pods the owners want changes without a Pod changing. */
const LOOK_AGAIN_MS = 15_000

/** Keeps the status of PodDisruptionBudgets. */
export function disruption({ client, clock, informers }: ClusterPorts): Controller {
  const budgets = informers.shared({ collection: { resource: disruptionBudgets } })
  const all = informers.shared({ collection: { resource: pods } })
  const selected = (budget: KubeObject): readonly KubeObject[] => {
    const { namespace = '' } = budget.metadata
    return all.cache.list(namespace).filter((pod) => selects(budget, pod))
  }
  return {
    name: 'disruption',
    watches: [
      { informer: budgets },
      {
        informer: all,
        keys: (pod) =>
          budgets.cache
            .list(pod.metadata.namespace ?? '')
            .filter((budget) => selects(budget, pod))
            .map(keyOf),
      },
    ],
    concurrency: 2,
    async reconcile(key, { log, signal }) {
      const budget = budgets.cache.get(key)
      if (!budget || budget.metadata.deletionTimestamp !== undefined) return done
      const { namespace = '', name } = partsOf(key)
      const needed = needsWanted(budget['spec'] ?? {})
      const found = selected(budget)
      const wanted = needed ? await observeWanted(found, namespace, client, signal) : undefined
      const plan = planBudget({ budget, pods: found, wanted, nowMs: clock.now() })
      if (plan.isChanged) {
        log.debug('counting healthy Pods', { allowed: plan.status['disruptionsAllowed'] })
        const target = { resource: disruptionBudgets, namespace, name, subresource: 'status' }
        const written = await client.update(target, { ...budget, status: plan.status }, { signal })
        if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
      }
      if (plan.againAfterMs !== undefined) return again(plan.againAfterMs, 'an eviction has not shown yet')
      return needed ? again(LOOK_AGAIN_MS, 'the owners of the Pods may want more or fewer') : done
    },
  }
}

/** An absent selector selects nothing, an empty one everything. */
function selects(budget: KubeObject, pod: KubeObject): boolean {
  const { selector } = (budget['spec'] ?? {}) as { readonly selector?: LabelSelectorObject }
  if (!selector) return false
  const compiled = compileSelector(selector)
  return compiled.ok && matchesLabels(compiled.value, pod.metadata.labels)
}
