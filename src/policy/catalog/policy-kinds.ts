import type { ResourceId } from '../../kube/gvk.ts'

/** A kind of policy, or of what belongs to policies, and where its objects are. */
export interface PolicyKind extends ResourceId {
  readonly kind: string
  readonly isNamespaced: boolean
}

const kyverno = (version: string, kind: string, plural: string, isNamespaced: boolean): PolicyKind => ({
  group: 'kyverno.io',
  version,
  kind,
  plural,
  isNamespaced,
})
const cel = (kind: string, plural: string, isNamespaced: boolean): PolicyKind => ({
  group: 'policies.kyverno.io',
  version: 'v1beta1',
  kind,
  plural,
  isNamespaced,
})

/** The kinds that hold rules, in the order in which they are listed. */
export const policyKinds: readonly PolicyKind[] = [
  kyverno('v1', 'ClusterPolicy', 'clusterpolicies', false),
  kyverno('v1', 'Policy', 'policies', true),
  cel('ValidatingPolicy', 'validatingpolicies', false),
  cel('NamespacedValidatingPolicy', 'namespacedvalidatingpolicies', true),
  cel('MutatingPolicy', 'mutatingpolicies', false),
  cel('NamespacedMutatingPolicy', 'namespacedmutatingpolicies', true),
  cel('GeneratingPolicy', 'generatingpolicies', false),
  cel('NamespacedGeneratingPolicy', 'namespacedgeneratingpolicies', true),
  cel('DeletingPolicy', 'deletingpolicies', false),
  cel('NamespacedDeletingPolicy', 'namespaceddeletingpolicies', true),
  cel('ImageValidatingPolicy', 'imagevalidatingpolicies', false),
  cel('NamespacedImageValidatingPolicy', 'namespacedimagevalidatingpolicies', true),
]

/** The kinds that delete on a schedule. */
export const cleanupKinds: readonly PolicyKind[] = [
  kyverno('v2', 'ClusterCleanupPolicy', 'clustercleanuppolicies', false),
  kyverno('v2', 'CleanupPolicy', 'cleanuppolicies', true),
]

/** The kinds that make exceptions, of both generations. */
export const exceptionKinds: readonly PolicyKind[] = [
  kyverno('v2', 'PolicyException', 'policyexceptions', true),
  cel('PolicyException', 'policyexceptions', true),
]

/** Data that policies of the whole cluster share. */
export const globalContextKind: PolicyKind = kyverno('v2', 'GlobalContextEntry', 'globalcontextentries', false)

/** What the background still has to do. */
export const updateRequestKind: PolicyKind = kyverno('v2', 'UpdateRequest', 'updaterequests', true)
