import type { Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import { type FactNeed, type Facts, noFacts } from '../engine/fact.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'

/** Something that can be asked, and says what it misses: a set of policies, or one. */
export interface Evaluates<Answer extends { readonly needs: readonly FactNeed[] }> {
  evaluate(phase: Phase, request: PolicyRequest, world: PolicyWorld): Answer
}

export type FetchFacts = (needs: readonly FactNeed[], known: Facts) => Promise<Facts>

/** A fact may be needed because of another one; chains that are longer than this have gone wrong. */
const ROUNDS = 32

/** Asks, finds out what was missing, and asks again until nothing is. */
export async function evaluateFully<Answer extends { readonly needs: readonly FactNeed[] }>(
  asked: Evaluates<Answer>,
  phase: Phase,
  request: PolicyRequest,
  { world, fetch }: { readonly world: Omit<PolicyWorld, 'facts'>; readonly fetch: FetchFacts },
): Promise<Answer> {
  let facts: Facts = noFacts
  let answer = asked.evaluate(phase, request, { ...world, facts })
  for (let round = 0; answer.needs.length > 0 && round < ROUNDS; round++) {
    facts = await fetch(answer.needs, facts)
    answer = asked.evaluate(phase, request, { ...world, facts })
  }
  return answer
}
