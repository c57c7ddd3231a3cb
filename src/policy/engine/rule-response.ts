import type { FactNeed } from './fact.ts'
import type { KubeObject } from '../../kube/object.ts'

export type PolicyVerdict = 'pass' | 'fail' | 'warn' | 'error' | 'skip'

export type RuleType = 'Validation' | 'Mutation' | 'Generation' | 'ImageVerify' | 'Deletion'

/** What a failed validation leads to. */
export type FailureAction = 'Enforce' | 'Audit'

/** An object that should exist because of a generate rule. */
export interface GeneratedResource {
  readonly resource: KubeObject
  /** The object it is a copy of. */
  readonly source?: {
    readonly apiVersion: string
    readonly kind: string
    readonly namespace?: string
    readonly name: string
  }
  readonly synchronize: boolean
  readonly orphanDownstreamOnPolicyDelete: boolean
  readonly useServerSideApply: boolean
}

/** What one rule says about one object. */
export interface RuleResponse {
  readonly rule: string
  readonly ruleType: RuleType
  readonly verdict: PolicyVerdict
  readonly message: string
  /** The field that made a validation fail, such as `/spec/containers/0/image/`. */
  readonly path?: string
  /** For a validation: whether a failure blocks or is only reported. */
  readonly action?: FailureAction
  /** A failure that does not block is told to who asked, as a warning. */
  readonly isWarned?: boolean
  /** An existing object failed before this change too, and the rule lets it be. */
  readonly isExistingViolation?: boolean
  /** What a rule that changes other, existing objects makes of one of them. */
  readonly patchedTarget?: { readonly before: KubeObject; readonly after: KubeObject; readonly subresource?: string }
  readonly generated?: readonly GeneratedResource[]
  /** The conditions that say whether the policy is about the object at all have no value: an API server would refuse at once. */
  readonly isUndecided?: true
  /** Facts for reports, such as `standard` and `controls` of Pod security. */
  readonly properties?: Readonly<Record<string, string>>
  /** The PolicyExceptions because of which the rule was skipped: `namespace/name`. */
  readonly exceptions?: readonly string[]
  readonly auditAnnotations?: Readonly<Record<string, string>>
}

/** Which policy it is. */
export interface PolicyIdentity {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  /** Only for policies that live in a namespace. */
  readonly namespace?: string
}

/** `name`, or `namespace/name` for a policy of a namespace. */
export function policyKey({ namespace, name }: PolicyIdentity): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}

/** What one policy says about one object: the rules that matched it, in their order. */
export interface PolicyResponse {
  readonly policy: PolicyIdentity
  readonly rules: readonly RuleResponse[]
  /** The object after the policy's mutations; the same object when nothing changed. */
  readonly object?: KubeObject
  /** What must be fetched before the answer counts; when not empty, the rest is preliminary. */
  readonly needs: readonly FactNeed[]
}
