import { aggregateRules, aggregationOf, rulesOf } from '../../apiserver/auth/rbac.ts'
import { isEqual } from '../../lib/json.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { clusterRoles } from '../collections.ts'

/** Writes into ClusterRoles with an aggregation rule what the roles that it selects allow. */
export function roleAggregation({ client, informers }: ClusterPorts): Controller {
  const roles = informers.own({
    collection: { resource: clusterRoles },
    indexes: { aggregated: (role) => (aggregationOf(role) ? ['yes'] : []) },
  })
  return {
    name: 'clusterrole-aggregation',
    // Which roles select a changed one is found out by looking at all that select; there are few of them.
    watches: [{ informer: roles, keys: () => roles.cache.by('aggregated', 'yes').map(keyOf) }],
    async reconcile(key, { log, signal }) {
      const role = roles.cache.get(key)
      if (!role || role.metadata.deletionTimestamp !== undefined) return done
      const rules = aggregateRules(role, roles.cache.list())
      if (!rules || isEqual(rules, rulesOf(role))) return done
      log.info('aggregating a role', { because: 'the roles that it selects allow something else', rules: rules.length })
      const { name = '' } = role.metadata
      const written = await client.update({ resource: clusterRoles, name }, { ...role, rules }, { signal })
      return written.ok || written.error.reason === 'NotFound' ? done : retryAfter(written.error)
    },
  }
}
