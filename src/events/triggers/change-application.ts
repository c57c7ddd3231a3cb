import type { Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Fired } from '../sensor/trigger.ts'
import type { ApplicationAction } from './action.ts'
import { type ApplicationPlan, type Asker, isEnforcing, planApplication, violationsOf } from './application-action.ts'
import { refusedBy } from './refusal.ts'
import { firedAt, rightTo, type Writing } from './write-object.ts'

const applications = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' }
const reports = { resource: { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'policyreports' } }
const policies = [
  { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' },
  { group: 'policies.kyverno.io', version: 'v1', plural: 'validatingpolicies' },
] as const

const MOST_CONFLICTS = 5

/** Where an action's Application is. */
export const targetOf = ({ namespace, name }: ApplicationAction): Target => ({
  resource: applications,
  namespace,
  name,
})

/** Does to an Application what is asked, once for a firing. */
export async function changeApplication(
  action: ApplicationAction,
  asker: Asker,
  writing: Writing,
): Promise<Result<Fired>> {
  const { client, signal, trigger } = writing
  const target = targetOf(action)
  const named = `Application ${action.namespace}/${action.name}`
  for (let turn = 1; ; turn++) {
    const found = await client.get(target, { signal })
    if (!found.ok) return fail(refusedBy(found.error, trigger, rightTo('get', target)))
    const plan = await planOf(action, found.value, asker, writing)
    if (!plan.ok) return plan
    if (plan.value.do === 'nothing')
      return firedAt(`${plan.value.because} ${named}`, { ...target, kind: 'Application' })
    const { because, body } = plan.value
    const written = await client.patch(target, { type: 'merge', body }, { fieldManager: 'argo-events', signal })
    if (written.ok) return firedAt(`${because} ${named}`, { ...target, kind: 'Application' })
    if (written.error.reason !== 'Conflict' || turn >= MOST_CONFLICTS)
      return fail(refusedBy(written.error, trigger, rightTo('patch', target)))
  }
}

/** Decides, after a look at what policies report where that is asked for. */
async function planOf(
  action: ApplicationAction,
  app: KubeObject,
  asker: Asker,
  writing: Writing,
): Promise<Result<ApplicationPlan>> {
  if (!action.unlessViolated) return planApplication(action, app, asker)
  const { client, signal, trigger } = writing
  const listed = await client.list(reports, { signal })
  if (!listed.ok) return fail(refusedBy(listed.error, trigger, rightTo('list', reports)))
  const enforced = await enforcedBy(writing)
  if (!enforced.ok) return enforced
  const [violation, ...more] = violationsOf(app, listed.value.items, enforced.value)
  if (!violation) return planApplication(action, app, asker)
  const others = more.length === 0 ? '' : `, and ${more.length} more`
  return fail({
    code: 'trigger-held-back',
    message: `no ${action.operation} of Application ${action.namespace}/${action.name} while ${violation.resource} breaks the enforced policy ${violation.policy} (${violation.rule})${others}`,
    cure: 'mend what the policy report says, then replay the event',
  })
}

/** Which rules of which policies refuse. */
async function enforcedBy({
  client,
  signal,
  trigger,
}: Pick<Writing, 'client' | 'signal' | 'trigger'>): Promise<Result<(policy: string, rule: string) => boolean>> {
  const known = new Map<string, KubeObject>()
  for (const resource of policies) {
    const listed = await client.list({ resource }, { signal })
    if (listed.ok) for (const policy of listed.value.items) known.set(policy.metadata.name ?? '', policy)
    // A cluster without policies of that kind has none that is enforced.
    else if (listed.error.reason !== 'NotFound')
      return fail(refusedBy(listed.error, trigger, rightTo('list', { resource })))
  }
  return succeed((name, rule) => {
    const policy = known.get(name)
    return policy !== undefined && isEnforcing(policy, rule)
  })
}
