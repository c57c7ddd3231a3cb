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

/** The rules whose objects go when the policy, or the rule, goes: what is copied from elsewhere stays. */
export function vanishingRules(policy: KubeObject): ReadonlySet<string> {
  const synchronized = synchronizedRules(policy)
  if (isCel(policy)) return isEnabled(policy, 'orphanDownstreamOnPolicyDelete') ? new Set() : synchronized
  const staying = new Set(
    generateRules(policy).flatMap(({ name, generate }) => {
      const isData = [generate, ...listOf(generate['foreach'])].some(({ data }) => isObject(data))
      return generate['orphanDownstreamOnPolicyDelete'] === true || !isData ? [name] : []
    }),
  )
  return new Set([...synchronized].filter((name) => !staying.has(name)))
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

/** The rules that the background's own writes set off; undefined for all. */
export function rulesForBackground(policy: KubeObject): readonly string[] | undefined {
  if (isCel(policy)) return isDisabled(policy, 'skipBackgroundRequests') ? undefined : []
  return listOf(specOf(policy)['rules']).flatMap((rule) =>
    rule['skipBackgroundRequests'] === false ? [String(rule['name'])] : [],
  )
}

const isDisabled = (policy: KubeObject, name: string): boolean =>
  fieldsOf(fieldsOf(specOf(policy)['evaluation'])[name])['enabled'] === false

/** The rules that what is there already sets off; undefined for all. */
export function rulesForExisting(policy: KubeObject): readonly string[] | undefined {
  const spec = specOf(policy)
  if (isCel(policy)) return undefined
  const [generates, mutates] = [
    spec['generateExisting'] === true || spec['generateExistingOnPolicyUpdate'] === true,
    spec['mutateExistingOnPolicyUpdate'] === true,
  ]
  return listOf(spec['rules']).flatMap((rule) => {
    const said = isObject(rule['generate'])
      ? (rule['generate']['generateExisting'] ?? generates)
      : (fieldsOf(rule['mutate'])['mutateExistingOnPolicyUpdate'] ?? mutates)
    return said === true ? [String(rule['name'])] : []
  })
}

/** Tells whether a rule is one of those, or made of one for Pod controllers. */
export const isAmong = (rules: readonly string[] | undefined, rule: string): boolean =>
  rules === undefined ||
  rules.some((name) => rule === name || rule === `autogen-${name}` || rule === `autogen-cronjob-${name}`)
