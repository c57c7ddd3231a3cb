import type { KubeObject } from '../../kube/object.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse, RuleResponse } from '../engine/rule-response.ts'
import type { OfflineWorld } from './offline-world.ts'

/** What one policy said of one object in one kind of work. */
export interface Judged {
  readonly policy: CompiledPolicy
  readonly rules: readonly RuleResponse[]
  /** The object that was judged. */
  readonly object: KubeObject | undefined
  /** The object after the mutations of the policy. */
  readonly patched: KubeObject | undefined
}

/** What an offline run asks with. */
export interface Asking {
  readonly policies: readonly CompiledPolicy[]
  /** The request about an object as one policy sees it: values may differ. */
  readonly requestFor: (policy: CompiledPolicy, object: KubeObject | undefined) => PolicyRequest
  readonly world: Omit<PolicyWorld, 'facts'>
  readonly facts: OfflineWorld
}

interface Step {
  readonly kinds: readonly string[]
  readonly phases: readonly Phase[]
}

const classic = ['ClusterPolicy', 'Policy']

/** The order in which Kyverno's command line asks: everything that changes before everything that judges. */
const steps: readonly Step[] = [
  { kinds: classic, phases: ['mutate', 'mutate-existing'] },
  { kinds: classic, phases: ['validate'] },
  { kinds: ['MutatingAdmissionPolicy'], phases: ['mutate'] },
  { kinds: ['MutatingPolicy', 'NamespacedMutatingPolicy'], phases: ['mutate', 'mutate-existing'] },
  { kinds: ['ValidatingAdmissionPolicy'], phases: ['validate'] },
  { kinds: ['ValidatingPolicy', 'NamespacedValidatingPolicy'], phases: ['validate'] },
  { kinds: ['GeneratingPolicy', 'NamespacedGeneratingPolicy'], phases: ['generate'] },
  { kinds: classic, phases: ['generate'] },
  { kinds: ['ImageValidatingPolicy', 'NamespacedImageValidatingPolicy'], phases: ['verify-images'] },
  {
    kinds: ['DeletingPolicy', 'NamespacedDeletingPolicy', 'ClusterCleanupPolicy', 'CleanupPolicy'],
    phases: ['delete'],
  },
]

/** Asks every policy about one object, or about a document that is no object. */
export function judgeResource(object: KubeObject | undefined, asking: Asking): readonly Judged[] {
  const judged: Judged[] = []
  let current = object
  for (const { kinds, phases } of steps) {
    const before = judged.length
    for (const policy of asking.policies) {
      if (!kinds.includes(policy.identity.kind)) continue
      const asked = phases.filter((phase) => policy.phases.has(phase))
      if (asked.length === 0) continue
      const one = askPolicy(policy, asked, current, asking)
      judged.push(one)
      current = one.patched ?? current
    }
    // Mutating policies are asked as one: each is shown with what all of them made.
    if (kinds.includes('MutatingPolicy')) {
      for (let index = before; index < judged.length; index++) {
        const one = judged[index]
        if (one) judged[index] = { ...one, patched: current }
      }
    }
  }
  return judged
}

function askPolicy(
  policy: CompiledPolicy,
  phases: readonly Phase[],
  object: KubeObject | undefined,
  asking: Asking,
): Judged {
  const request = asking.requestFor(policy, object)
  const rules: RuleResponse[] = []
  let patched = object
  for (const phase of phases) {
    const answer = askFully(policy, phase, request, asking)
    rules.push(...answer.rules)
    if (phase === 'mutate' && answer.object) patched = answer.object
  }
  return { policy, rules, object, patched }
}

const ROUNDS = 32

/** Asks, looks up what was missing, and asks again. */
function askFully(
  policy: CompiledPolicy,
  phase: Phase,
  request: PolicyRequest,
  { world, facts }: Asking,
): PolicyResponse {
  let answer = policy.evaluate(phase, request, { ...world, facts: facts.facts })
  for (let round = 0; answer.needs.length > 0 && round < ROUNDS; round++) {
    answer = policy.evaluate(phase, request, { ...world, facts: facts.answer(answer.needs) })
  }
  return answer
}
