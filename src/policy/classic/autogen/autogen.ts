import { at, type Fields, fieldsOf, listOf, textOf, textsOf } from '../read.ts'
import { parseKindSelector } from '../match/kind-selector.ts'
import { controllerRule } from './controller-rule.ts'

/** The annotation by which a policy says for which Pod controllers its rules count too. */
export const controllersAnnotation = 'pod-policies.kyverno.io/autogen-controllers'

const podControllers: readonly string[] = [
  'CronJob',
  'DaemonSet',
  'Deployment',
  'Job',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
]
const podKinds: ReadonlySet<string> = new Set([...podControllers, 'Pod'])

/** The rules that are made for Pod controllers from the Pod rules of a policy, in the order of the rules. */
export function autogenRules(policy: Fields): readonly Fields[] {
  const spec = fieldsOf(policy['spec'])
  return rulesFor(spec, controllersOf(policy, spec))
}

/**
 * All rules of a policy for one kind. Made rules come after the written ones, and only for the kinds that they are made
 * for: a written rule that matches Pods and other kinds in several blocks would otherwise count twice for those.
 */
export function rulesForKind(policy: Fields, kind: string): readonly Fields[] {
  const spec = fieldsOf(policy['spec'])
  const rules = listOf(spec['rules']).map(fieldsOf)
  if (!controllersOf(policy, spec).includes(kind)) return rules
  return withMade(rules, rulesFor(spec, [kind]))
}

/** All rules of a policy, written and made. */
export function allRules(policy: Fields): readonly Fields[] {
  return withMade(listOf(at(policy, 'spec', 'rules')).map(fieldsOf), autogenRules(policy))
}

function withMade(rules: readonly Fields[], made: readonly Fields[]): readonly Fields[] {
  if (made.length === 0) return rules
  return [...rules.filter((rule) => !isMade(rule)), ...made]
}

const isMade = (rule: Fields): boolean => textOf(rule['name']).startsWith('autogen-')

/** The controllers that rules are made for; none when a rule of the policy cannot be carried over. */
export function controllersOf(policy: Fields, spec: Fields): readonly string[] {
  if (!canBeCarriedOver(spec)) return []
  const said = at(policy, 'metadata', 'annotations', controllersAnnotation)
  return typeof said === 'string' ? said.split(',').filter((kind) => kind !== 'none') : podControllers
}

function canBeCarriedOver(spec: Fields): boolean {
  let isNeeded = false
  for (const item of listOf(spec['rules'])) {
    const rule = fieldsOf(item)
    if (rule['generate'] && Object.keys(fieldsOf(rule['generate'])).length > 0) return false
    const mutate = fieldsOf(rule['mutate'])
    if (textOf(mutate['patchesJson6902']) !== '') return false
    if (listOf(mutate['foreach']).some((loop) => textOf(fieldsOf(loop)['patchesJson6902']) !== '')) return false
    for (const description of [...descriptionsOf(rule['match']), ...descriptionsOf(rule['exclude'])]) {
      if (!isPortable(description)) return false
      isNeeded ||= textsOf(description['kinds']).some((kind) => podKinds.has(kind))
    }
  }
  return isNeeded
}

function descriptionsOf(match: unknown): readonly Fields[] {
  const block = fieldsOf(match)
  return [block, ...listOf(block['any']), ...listOf(block['all'])].map((filter) =>
    fieldsOf(fieldsOf(filter)['resources']),
  )
}

/** Names, labels and annotations of a Pod say nothing of its controller. */
function isPortable(description: Fields): boolean {
  const kinds = textsOf(description['kinds'])
  return !(
    textOf(description['name']) !== '' ||
    listOf(description['names']).length > 0 ||
    isSet(description['selector']) ||
    isSet(description['annotations']) ||
    (kinds.length > 1 && kinds.some(isPod))
  )
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null
const isPod = (kind: string): boolean => parseKindSelector(kind).kind === 'Pod'

function rulesFor(spec: Fields, controllers: readonly string[]): readonly Fields[] {
  if (controllers.length === 0) return []
  return listOf(spec['rules']).flatMap((item) => {
    const rule = fieldsOf(item)
    if (isMade(rule)) return []
    const others = controllers.filter((kind) => kind !== 'CronJob')
    const made = [
      others.length > 0 ? controllerRule(rule, others) : undefined,
      controllers.includes('CronJob') || controllers.includes('all') ? controllerRule(rule, ['CronJob']) : undefined,
    ]
    return made.filter((one) => one !== undefined)
  })
}
