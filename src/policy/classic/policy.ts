import type { KubeObject } from '../../kube/object.ts'
import type { CompiledPolicy, Concern, Phase } from '../engine/compiled-policy.ts'
import type { Operation } from '../engine/policy-request.ts'
import { type PolicyIdentity, policyKey } from '../engine/rule-response.ts'
import { allRules, rulesForKind } from './autogen/autogen.ts'
import { kindsOf } from './match/match.ts'
import { type Fields, fieldsOf, listOf, textOf } from './read.ts'
import { readRule, type Rule } from './rule.ts'

/** A ClusterPolicy or Policy, read once. */
export interface ClassicPolicy {
  readonly identity: PolicyIdentity
  /** `name`, or `namespace/name`: how exceptions name it. */
  readonly key: string
  readonly source: KubeObject
  readonly spec: Fields
  /** `One` stops after the first rule that had something to say. */
  readonly appliesOne: boolean
  readonly matchConditions: readonly unknown[]
  /** Every rule, the ones made for Pod controllers included. */
  readonly rules: readonly Rule[]
  /** The rules that judge an object of a kind. */
  readonly rulesFor: (kind: string) => readonly Rule[]
}

const operations: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']

/** The namespace of a policy that lives in one. */
export function policyNamespaceOf({ kind, metadata }: KubeObject): string | undefined {
  return kind === 'Policy' ? metadata.namespace || 'default' : undefined
}

/** Reads a policy. */
export function readPolicy(source: KubeObject): ClassicPolicy {
  const spec = fieldsOf(source['spec'])
  const namespace = policyNamespaceOf(source)
  const name = textOf(source.metadata.name)
  const identity: PolicyIdentity = {
    apiVersion: source.apiVersion,
    kind: source.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  }
  const byKind = new Map<string, readonly Rule[]>()
  const read = (rules: readonly Fields[]): readonly Rule[] => rules.map((rule) => readRule(rule, spec))
  return {
    identity,
    key: policyKey(identity),
    source,
    spec,
    appliesOne: spec['applyRules'] === 'One',
    matchConditions: [
      ...listOf(fieldsOf(spec['webhookConfiguration'])['matchConditions']),
      ...listOf(spec['webhookMatchConditions']),
    ],
    rules: read(allRules(source)),
    rulesFor(kind) {
      // Kinds are as many as the cluster has; the ones that no rule is made for share the written rules.
      const known = byKind.get(kind)
      if (known) return known
      const rules = read(rulesForKind(source, kind))
      byKind.set(kind, rules)
      return rules
    },
  }
}

/** What a policy may be asked to do. */
export function phasesOf({ rules }: ClassicPolicy): ReadonlySet<Phase> {
  const phases = new Set<Phase>()
  for (const rule of rules) {
    // What can be said of images without a registry is said where objects are judged.
    if (rule.validate || rule.verifyImages.length > 0) phases.add('validate')
    if (rule.mutate) phases.add(hasTargets(rule) ? 'mutate-existing' : 'mutate')
    if (rule.generate) phases.add('generate')
  }
  return phases
}

/** A rule that changes other objects than the one it matches. */
export const hasTargets = ({ mutate }: Rule): boolean => listOf(mutate?.['targets']).length > 0

/** Which requests the rules of a policy may be about. */
export function concernsOf(rules: readonly Pick<Rule, 'source'>[]): readonly Concern[] {
  const concerns = new Map<string, Concern>()
  for (const rule of rules) {
    for (const { selector, operations: named } of kindsOf(rule.source['match'])) {
      const wanted = operations.filter((operation) => named.length === 0 || named.includes(operation))
      const subresources =
        selector.kind === 'Pod' && selector.subresource === '' ? ['', 'ephemeralcontainers'] : [selector.subresource]
      for (const subresource of subresources) {
        const concern: Concern = { ...selector, subresource, operations: wanted }
        concerns.set(JSON.stringify(concern), concern)
      }
    }
  }
  return [...concerns.values()]
}

/** The settings of a policy that whoever runs it must know. */
export function settingsOf({
  spec,
}: ClassicPolicy): Pick<CompiledPolicy, 'isAdmission' | 'isBackground' | 'failurePolicy'> {
  const webhook = fieldsOf(spec['webhookConfiguration'])
  const failurePolicy = spec['failurePolicy'] ?? webhook['failurePolicy']
  return {
    isAdmission: spec['admission'] !== false,
    isBackground: spec['background'] !== false,
    failurePolicy: failurePolicy === 'Ignore' ? 'Ignore' : 'Fail',
  }
}
