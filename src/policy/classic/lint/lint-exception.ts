import type { KubeObject } from '../../../kube/object.ts'
import type { Problem } from '../../../lib/result.ts'
import { fieldsOf, listOf, textOf, textsOf } from '../read.ts'
import { invalid } from './finding.ts'
import { lintConditions } from './lint-conditions.ts'
import { lintMatch } from './lint-match.ts'
import { lintExclusion } from './lint-validate.ts'
import { holdsVariables, lintUserVariables } from './lint-variables.ts'

/** Everything that an author must change in a PolicyException. */
export function lintException(object: KubeObject): readonly Problem[] {
  const spec = fieldsOf(object['spec'])
  const found: Problem[] = []
  for (const [index, item] of listOf(spec['exceptions']).entries()) {
    const { policyName, ruleNames } = fieldsOf(item)
    const at = `spec.exceptions[${index}]`
    if (textOf(policyName) === '') found.push(invalid(`${at}.policyName`, 'a policy must be named'))
    if (textsOf(ruleNames).length === 0) found.push(invalid(`${at}.ruleNames`, 'rules must be named'))
  }
  const isBackground = spec['background'] !== false
  const match = fieldsOf(spec['match'])
  const namesUsers = [...listOf(match['any']), ...listOf(match['all'])].some((filter) =>
    ['roles', 'clusterRoles', 'subjects'].some((key) => listOf(fieldsOf(filter)[key]).length > 0),
  )
  if (isBackground && namesUsers) {
    found.push(invalid('spec.match', 'users are not known in the background', 'set spec.background to false'))
  }
  if (holdsVariables(spec['match']))
    found.push(invalid('spec.match', 'variables are not allowed here', 'use conditions'))
  return [
    ...found,
    ...lintMatch({ match }, 'spec', { isNamespaced: false, isBackground: false, cluster: undefined }),
    ...lintConditions(spec['conditions'], 'spec.conditions'),
    ...(isBackground ? lintUserVariables({ spec: { conditions: spec['conditions'] } }, 'spec.conditions') : []),
    ...listOf(spec['podSecurity']).flatMap((item, index) =>
      lintExclusion(fieldsOf(item), '', `spec.podSecurity[${index}]`),
    ),
  ]
}
