import type { KubeObject } from '../../../kube/object.ts'
import type { Problem } from '../../../lib/result.ts'
import { type Fields, fieldsOf, listOf } from '../read.ts'
import { deprecatedOperators } from './lint-conditions.ts'

/** What the author of a policy should know although it is accepted. */
export function warningsOf(object: KubeObject): readonly Problem[] {
  const spec = fieldsOf(object['spec'])
  return [...deprecations(spec), ...notEnforced(object), ...pitfalls(spec)]
}

const warning = (message: string, at: string): Problem => ({ code: 'policy-questionable', at, message })

function deprecations(spec: Fields): readonly Problem[] {
  const found = deprecatedOperators(spec['rules']).map((message) => warning(message, 'spec.rules'))
  const actions = [
    spec['validationFailureAction'],
    ...listOf(spec['rules']).map((rule) => fieldsOf(fieldsOf(rule)['validate'])['failureAction']),
  ]
  if (actions.some((action) => action === 'enforce' || action === 'audit')) {
    found.push(warning('Validation failure actions enforce/audit are deprecated, use Enforce/Audit instead.', 'spec'))
  }
  return found
}

/** Rules that see less than their author may think. */
function pitfalls(spec: Fields): readonly Problem[] {
  return listOf(spec['rules']).flatMap((item, index): readonly Problem[] => {
    const rule = fieldsOf(item)
    const at = `spec.rules[${index}]`
    const kinds =
      JSON.stringify(rule['match'] ?? {}).toLowerCase() +
      JSON.stringify(fieldsOf(rule['mutate'])['targets'] ?? []).toLowerCase()
    const { deny: _deny, ...validate } = fieldsOf(rule['validate'])
    const text = JSON.stringify([validate, rule['mutate'] ?? null])
    const found: Problem[] = []
    if (text.includes('replicas') && !kinds.includes('scale')) {
      found.push(warning('You are matching on replicas but not including the scale subresource in the policy.', at))
    }
    if ((text.includes('.status') || text.includes('"status":')) && !kinds.includes('status')) {
      found.push(warning('You are matching on status but not including the status subresource in the policy.', at))
    }
    return found
  })
}

/** What a policy asks for and does not get. */
function notEnforced(object: KubeObject): readonly Problem[] {
  return listOf(fieldsOf(object['spec'])['rules']).flatMap((item, index): readonly Problem[] => {
    const rule = fieldsOf(item)
    const at = `spec.rules[${index}]`
    const found: Problem[] = []
    if (listOf(rule['verifyImages']).length > 0) {
      found.push({
        code: 'policy-not-enforced',
        at: `${at}.verifyImages`,
        message: 'image signatures are not verified: the rule is accepted and not enforced',
      })
    }
    if (fieldsOf(rule['validate'])['manifests'] !== undefined) {
      found.push({
        code: 'policy-not-enforced',
        at: `${at}.validate.manifests`,
        message: 'signatures of manifests are not verified: the rule is accepted and not enforced',
      })
    }
    return found
  })
}
