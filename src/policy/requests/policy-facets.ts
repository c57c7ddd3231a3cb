import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
const specOf = (policy: KubeObject): Fields => fieldsOf(policy['spec'])
const isCel = ({ apiVersion }: KubeObject): boolean => apiVersion.startsWith('policies.kyverno.io/')
const isEnabled = (policy: KubeObject, name: string): boolean =>
  fieldsOf(fieldsOf(specOf(policy)['evaluation'])[name])['enabled'] === true

/** The rules of a classic policy that generate. */
const generateRules = (policy: KubeObject): readonly { readonly name: string; readonly generate: Fields }[] =>
  listOf(specOf(policy)['rules']).flatMap((rule) =>
    isObject(rule['generate']) ? [{ name: String(rule['name']), generate: rule['generate'] }] : [],
  )

/** The rules whose objects follow their policy, trigger and source; a CEL policy has one rule, of its own name. */
export function synchronizedRules(policy: KubeObject): ReadonlySet<string> {
  if (isCel(policy)) return new Set(isEnabled(policy, 'synchronize') ? [policy.metadata.name ?? ''] : [])
  return new Set(
    generateRules(policy).flatMap(({ name, generate }) => (generate['synchronize'] === true ? [name] : [])),
  )
}

/** The rules whose objects go when the policy, or the rule, goes. */
export function vanishingRules(policy: KubeObject): ReadonlySet<string> {
  const synchronized = synchronizedRules(policy)
  if (isCel(policy)) return isEnabled(policy, 'orphanDownstreamOnPolicyDelete') ? new Set() : synchronized
  const orphaned = new Set(
    generateRules(policy).flatMap(({ name, generate }) =>
      generate['orphanDownstreamOnPolicyDelete'] === true ? [name] : [],
    ),
  )
  return new Set([...synchronized].filter((name) => !orphaned.has(name)))
}

/** The names of rules under which objects are marked. */
export const generatingRules = (policy: KubeObject): ReadonlySet<string> =>
  new Set(isCel(policy) ? [policy.metadata.name ?? ''] : generateRules(policy).map(({ name }) => name))

/** Whether what is there already triggers the policy when it comes or changes. */
export function wantsExisting(policy: KubeObject): boolean {
  const spec = specOf(policy)
  if (isCel(policy)) return isEnabled(policy, 'generateExisting') || isEnabled(policy, 'mutateExisting')
  const byRule = listOf(spec['rules']).some((rule) => {
    const generate = fieldsOf(rule['generate'])['generateExisting']
    const mutate = fieldsOf(rule['mutate'])['mutateExistingOnPolicyUpdate']
    return generate === true || mutate === true
  })
  return (
    byRule ||
    [spec['generateExisting'], spec['generateExistingOnPolicyUpdate'], spec['mutateExistingOnPolicyUpdate']].includes(
      true,
    )
  )
}

/** Whether deletions trigger the policy because it says so. */
export function triggersOnDelete(policy: KubeObject): boolean {
  const spec = specOf(policy)
  const names = (list: unknown): boolean => Array.isArray(list) && list.includes('DELETE')
  if (isCel(policy)) {
    const { resourceRules } = fieldsOf(spec['matchConstraints'])
    return listOf(resourceRules).some(({ operations }) => names(operations))
  }
  return listOf(spec['rules']).some(({ match }) => {
    const { any, all, resources } = fieldsOf(match)
    const blocks = [...listOf(any), ...listOf(all)].map((block) => fieldsOf(block['resources']))
    return [...blocks, fieldsOf(resources)].some(({ operations }) => names(operations))
  })
}

/** Whether the background's own writes leave the policy alone. */
export function skipsBackgroundRequests(policy: KubeObject): boolean {
  if (isCel(policy)) return true
  return !listOf(specOf(policy)['rules']).some((rule) => rule['skipBackgroundRequests'] === false)
}
