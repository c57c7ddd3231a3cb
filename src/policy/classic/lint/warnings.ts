import type { KubeObject } from '../../../kube/object.ts'
import type { Problem } from '../../../lib/result.ts'
import { fieldsOf, listOf } from '../read.ts'

/** What a policy asks for and does not get: accepted, and said. */
export function warningsOf(object: KubeObject): readonly Problem[] {
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
