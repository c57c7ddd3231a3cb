import { explain } from '../../../lib/result.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { CompiledPolicy, PolicyFamily } from '../../../policy/engine/compiled-policy.ts'
import { policyFamilies } from '../../../policy/families.ts'

/** What files of policies hold. */
export interface LoadedPolicies {
  readonly policies: readonly CompiledPolicy[]
  readonly bindings: readonly KubeObject[]
  readonly exceptions: readonly KubeObject[]
  /** Policies that cannot be used, with the reason, by name. */
  readonly refused: ReadonlyMap<string, string>
}

/** The language that a policy is written in. */
export const familyOf = (object: KubeObject): PolicyFamily | undefined =>
  policyFamilies.find((candidate) => candidate.reads(object))

/** Compiles what is a policy; bindings and exceptions are kept beside. */
export function compilePolicies(objects: readonly KubeObject[]): LoadedPolicies {
  const policies: CompiledPolicy[] = []
  const refused = new Map<string, string>()
  for (const object of objects) {
    const family = familyOf(object)
    if (!family) continue
    // The languages of CEL are checked by compiling them.
    const problems = family.name === 'classic' ? family.lint(object) : []
    const compiled = problems.length === 0 ? family.compile(object) : { ok: false as const, error: problems }
    if (compiled.ok) policies.push(compiled.value)
    else refused.set(object.metadata.name ?? '', compiled.error.map(explain).join('; '))
  }
  return {
    policies,
    refused,
    bindings: objects.filter(({ kind }) => kind.endsWith('AdmissionPolicyBinding')),
    exceptions: objects.filter(isException),
  }
}

/** Tells PolicyExceptions, of both generations, from other objects. */
export const isException = ({ kind }: KubeObject): boolean => kind === 'PolicyException'
