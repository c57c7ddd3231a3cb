import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { isObject } from '../../lib/json.ts'
import { explain } from '../../lib/result.ts'
import type { Controller } from '../../runtime/controller.ts'
import { retryAfter } from '../../runtime/controller.ts'
import type { Informers } from '../../runtime/informers.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import type { PolicyCatalog } from '../catalog/policy-catalog.ts'
import { type PolicyKind, policyKinds } from '../catalog/policy-kinds.ts'
import { planPolicyStatus } from './policy-status.ts'

export interface PolicyStatusPorts {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly catalog: PolicyCatalog
  /** Which verbs whoever makes reports lacks on a collection. */
  readonly missing: (group: string, plural: string) => readonly string[]
}

/** Says in each policy's status that it is taken up, or why not. */
export const policyStatusControllers = (ports: PolicyStatusPorts): readonly Controller[] =>
  policyKinds.map((kind) => policyStatusController(kind, ports))

function policyStatusController(kind: PolicyKind, ports: PolicyStatusPorts): Controller {
  const { client, informers, clock, catalog } = ports
  const informer = informers.shared({ collection: { resource: kind } })
  return {
    name: `policy-status-${kind.plural}`,
    watches: [{ informer }],
    async reconcile(key, { signal }) {
      const policy = informer.cache.get(key)
      if (!policy || policy.metadata.deletionTimestamp !== undefined) return done
      const family = catalog.familyOf(policy)
      const compiled = family?.compile(policy)
      const because = compiled && !compiled.ok ? compiled.error.map(explain).join('; ') : undefined
      const state = { ...(because === undefined ? {} : { because }), missing: missingOf(policy, ports) }
      const status = planPolicyStatus(policy, state, clock.now())
      if (!status) return done
      const written = await client.update(
        { resource: kind, ...partsWithNamespace(key), subresource: 'status' },
        { ...policy, status },
        { signal },
      )
      if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
      return done
    },
  }
}

function partsWithNamespace(key: string): { readonly namespace?: string; readonly name: string } {
  const { namespace, name } = partsOf(key)
  return namespace === undefined ? { name } : { namespace, name }
}

/** What cannot be read of what a CEL policy is about. */
function missingOf(policy: KubeObject, { missing }: PolicyStatusPorts): readonly string[] {
  const spec = isObject(policy['spec']) ? policy['spec'] : {}
  const constraints = isObject(spec['matchConstraints']) ? spec['matchConstraints'] : {}
  const rules = Array.isArray(constraints['resourceRules']) ? constraints['resourceRules'].filter(isObject) : []
  const listed = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
  return rules.flatMap((rule) =>
    listed(rule['apiGroups']).flatMap((group) => listed(rule['resources']).flatMap((plural) => missing(group, plural))),
  )
}
