import type { KubeObject } from '../../kube/object.ts'
import { compareStrings } from '../../lib/go-string.ts'
import type { CompiledPolicy, Concern, Phase, PolicyWorld } from './compiled-policy.ts'
import { type FactNeed, keyOfNeed } from './fact.ts'
import type { PolicyRequest } from './policy-request.ts'
import { policyKey, type PolicyResponse } from './rule-response.ts'
import { matchesWildcard } from './wildcard.ts'

/** What all policies of a set say about one object. */
export interface SetResponse {
  readonly policies: readonly PolicyResponse[]
  /** The object after every mutation; the one of the request when nothing changed it. */
  readonly object?: KubeObject
  /** What must be fetched before the answer counts. */
  readonly needs: readonly FactNeed[]
}

function concernsRequest(concern: Concern, request: PolicyRequest): boolean {
  if (!concern.operations.includes(request.operation)) return false
  if (!matchesWildcard(concern.group, request.kind.group)) return false
  if (!matchesWildcard(concern.version, request.kind.version)) return false
  return matchesWildcard(concern.subresource, request.subresource ?? '')
}

/** Tells whether the kind of a concern can be looked up; the others are tried for every request. */
const isPlainKind = (concern: Concern): concern is Concern & { readonly kind: string } =>
  concern.kind !== undefined && concern.plural === undefined && !/[*?]/.test(concern.kind)

interface Entry {
  readonly concern: Concern
  readonly policy: CompiledPolicy
}

/** Policies that are asked together, found by the kind of the object. A set never changes: a change makes a new one. */
export class PolicySet {
  /** In the order in which they are asked: by name, those of the whole cluster first. */
  readonly policies: readonly CompiledPolicy[]
  private readonly byKind = new Map<string, Entry[]>()
  private readonly others: readonly Entry[]
  private readonly order: ReadonlyMap<CompiledPolicy, number>

  constructor(policies: readonly CompiledPolicy[]) {
    this.policies = policies.toSorted((a, b) => compareStrings(sortKey(a), sortKey(b)))
    this.order = new Map(this.policies.map((policy, index) => [policy, index]))
    const others: Entry[] = []
    for (const policy of this.policies) {
      for (const concern of policy.concerns) {
        if (!isPlainKind(concern)) {
          others.push({ concern, policy })
          continue
        }
        const known = this.byKind.get(concern.kind)
        if (known) known.push({ concern, policy })
        else this.byKind.set(concern.kind, [{ concern, policy }])
      }
    }
    this.others = others
  }

  /** The policies that may have something to say, in the order in which they are asked. */
  concerned(phase: Phase, request: PolicyRequest): readonly CompiledPolicy[] {
    const found = new Set<CompiledPolicy>()
    const consider = ({ concern, policy }: Entry): void => {
      if (!policy.phases.has(phase) || found.has(policy)) return
      const { namespace } = policy.identity
      if (namespace !== undefined && namespace !== request.namespace) return
      if (concernsRequest(concern, request)) found.add(policy)
    }
    for (const entry of this.byKind.get(request.kind.kind) ?? []) consider(entry)
    for (const entry of this.others) {
      const { kind, plural } = entry.concern
      if (kind !== undefined && !matchesWildcard(kind, request.kind.kind)) continue
      if (plural !== undefined && request.resource && !matchesWildcard(plural, request.resource.plural)) continue
      consider(entry)
    }
    return [...found].toSorted((a, b) => (this.order.get(a) ?? 0) - (this.order.get(b) ?? 0))
  }

  /** Asks every policy that is concerned. Mutations follow each other, each seeing what those before it made. */
  evaluate(
    phase: Phase,
    request: PolicyRequest,
    world: PolicyWorld,
    isAsked: (policy: CompiledPolicy) => boolean = everyPolicy,
  ): SetResponse {
    const answers: PolicyResponse[] = []
    const needs = new Map<string, FactNeed>()
    let current = request
    for (const policy of this.concerned(phase, request)) {
      if (!isAsked(policy)) continue
      const answer = policy.evaluate(phase, current, world)
      for (const need of answer.needs) needs.set(keyOfNeed(need), need)
      if (answer.rules.length > 0) answers.push(answer)
      if (phase === 'mutate' && answer.object && answer.object !== current.object)
        current = { ...current, object: answer.object }
    }
    return { policies: answers, ...(current.object ? { object: current.object } : {}), needs: [...needs.values()] }
  }
}

const everyPolicy = (): boolean => true

const sortKey = ({ identity }: CompiledPolicy): string =>
  `${identity.namespace === undefined ? 0 : 1} ${policyKey(identity)} ${identity.kind}`
