import type { Status } from '../../kube/status.ts'
import type { Problem } from '../../lib/result.ts'
import type { ResolvedTrigger, Right } from '../sensor/trigger.ts'

/** `workflows.argoproj.io`, `pods`, `deployments.apps/scale`. */
export function resourceName({ resource, group, subresource }: Right): string {
  return `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`
}

/** A right as a rule of a Role, on one line of YAML. */
export function ruleOf({ group, resource, subresource, verb, name }: Right): string {
  const what = subresource === undefined ? resource : `${resource}/${subresource}`
  const names = name === undefined || verb === 'create' ? '' : `, resourceNames: ["${name}"]`
  return `{apiGroups: ["${group}"], resources: ["${what}"], verbs: ["${verb}"]${names}}`
}

/** What is said where a ServiceAccount lacks a right: who lacks what, and the rule that would give it. */
export function lacking(account: { readonly namespace: string; readonly name: string }, right: Right): Problem {
  const place = right.namespace === undefined ? 'the cluster' : `namespace ${right.namespace}`
  const role = right.namespace === undefined ? 'a ClusterRole' : `a Role in ${right.namespace}`
  return {
    code: 'trigger-forbidden',
    message: `ServiceAccount ${account.namespace}/${account.name} may not ${right.verb} ${resourceName(right)} in ${place}`,
    cure: `add the rule ${ruleOf(right)} to ${role} that is bound to it`,
  }
}

/** Why the API server refused what a trigger asked for. */
export function refusedBy(status: Status, trigger: ResolvedTrigger, right: Right): Problem {
  const account = { namespace: trigger.sensor.namespace, name: trigger.serviceAccount }
  // A policy or a quota says Forbidden too; only RBAC says what cannot be done by whom.
  if (status.reason === 'Forbidden' && / cannot \w+ (resource|path) /.test(status.message))
    return lacking(account, right)
  return {
    code: 'trigger-refused',
    message: `cannot ${right.verb} ${resourceName(right)}${right.name === undefined ? '' : ` ${right.namespace === undefined ? '' : `${right.namespace}/`}${right.name}`}: ${status.message}`,
  }
}
