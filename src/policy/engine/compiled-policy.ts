import type { Ids } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import type { FactNeed, Facts } from './fact.ts'
import type { Operation, PolicyRequest } from './policy-request.ts'
import type { PolicyIdentity, PolicyResponse } from './rule-response.ts'

/**
 * What a policy is asked to do. `mutate` changes the object of the request; `mutate-existing` changes other objects
 * because of it; `delete` asks whether a cleanup policy takes the object away.
 */
export type Phase = 'mutate' | 'validate' | 'verify-images' | 'generate' | 'mutate-existing' | 'delete'

/** What evaluation may know beside the request. */
export interface PolicyWorld {
  readonly facts: Facts
  /** Every PolicyException, of all generations, as objects; each family reads its own. */
  readonly exceptions: readonly KubeObject[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly ids: Pick<Ids, 'bytes'>
  /** The schema of a kind, where one is known: what tells how an apply configuration merges into an object. */
  readonly schemaOf?: (kind: GroupVersionKind) => Schema | undefined
  /** The bindings of ValidatingAdmissionPolicies and MutatingAdmissionPolicies that are asked like policies. */
  readonly bindings?: readonly KubeObject[]
  /** Values that are set before the context of a rule is loaded (an offline run's values file), by dotted name. */
  readonly values?: (policy: string, rule: string) => Readonly<Record<string, Json>>
  /** Sources of context that do not exist in an offline run: their entries stay unset, so that values can take their place. */
  readonly absent?: ReadonlySet<FactNeed['what']>
}

/** Which requests a policy may be interested in: an index, so `*` where it cannot be said. */
export interface Concern {
  readonly group: string
  readonly version: string
  /** The kind, or with `plural` set the collection, possibly with wildcards. */
  readonly kind?: string
  readonly plural?: string
  /** The empty string for the object itself, `*` for all. */
  readonly subresource: string
  readonly operations: readonly Operation[]
}

/** A policy that was read once and can be asked many times. */
export interface CompiledPolicy {
  readonly identity: PolicyIdentity
  readonly source: KubeObject
  readonly phases: ReadonlySet<Phase>
  readonly concerns: readonly Concern[]
  /** False for a policy that only counts in background scans. */
  readonly isAdmission: boolean
  /** False for a policy that must not be used in background scans. */
  readonly isBackground: boolean
  /** What happens to requests when the policy cannot be evaluated. */
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** What its author should know although it was accepted: fields that are read and not enforced. */
  readonly warnings: readonly Problem[]
  /** Asks the policy. A policy that does not match answers without rules. It never throws for what policy or object hold. */
  evaluate(phase: Phase, request: PolicyRequest, world: PolicyWorld): PolicyResponse
}

/** What is known of the cluster that a policy is for; without it, what depends on it is not judged. */
export interface LintCluster {
  /** Whether the objects of a kind live in namespaces; undefined for a kind that is not served. Group and version may be `*`. */
  isNamespaced(group: string, version: string, kind: string): boolean | undefined
  /** Whether a kind, as rules name it, is served: `apps/v1/Deployment`, `Pod/status`. */
  serves(kind: string): boolean
}

/** A language of policies: the kinds that are written in it, and how one is read. */
export interface PolicyFamily {
  readonly name: string
  /** Tells whether an object is a policy of this family. */
  reads(object: { readonly apiVersion: string; readonly kind: string }): boolean
  compile(object: KubeObject): Result<CompiledPolicy>
  /** Everything an author should change, without which the policy is refused, with a path each. */
  lint(object: KubeObject, cluster?: LintCluster): readonly Problem[]
}
