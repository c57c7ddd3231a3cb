import type { KubeObject } from '../../kube/object.ts'
import { type Problem, type Result, succeed } from '../../lib/result.ts'
import type { CompiledPolicy, Phase } from '../engine/compiled-policy.ts'
import { envelopeOf, policyOf, specFields } from './envelope.ts'
import { constraintProblems, type MatchResources } from './match.ts'

/** Reads an ImageValidatingPolicy. Nothing verifies signatures yet: it has no rules, and says so. */
export function compileImagePolicy(object: KubeObject): Result<CompiledPolicy> {
  const warnings: readonly Problem[] = [
    {
      code: 'policy-not-enforced',
      at: 'kind',
      message: `${object.kind} ${JSON.stringify(object.metadata.name ?? '')} is accepted but not enforced: images are not verified`,
    },
  ]
  return succeed(
    policyOf(
      { ...envelopeOf(object), phases: new Set<Phase>(['verify-images']), concerns: [], warnings },
      () => undefined,
    ),
  )
}

/** What an author of such a policy must change. */
export const lintImagePolicy = (object: KubeObject): readonly Problem[] => {
  const spec: { readonly matchConstraints?: MatchResources } = specFields(object)
  return constraintProblems(spec.matchConstraints)
}
