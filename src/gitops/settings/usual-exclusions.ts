import type { FilteredResource } from '../compare/resource-filter.ts'

const rule = (apiGroups: readonly string[], kinds: readonly string[]): FilteredResource => ({
  apiGroups,
  kinds,
  clusters: [],
})

/** What upstream's own `argocd-cm` excludes: objects that clusters make for themselves in great numbers. */
export const usualExclusions: readonly FilteredResource[] = [
  rule(['', 'discovery.k8s.io'], ['Endpoints', 'EndpointSlice']),
  rule(['coordination.k8s.io'], ['Lease']),
  rule(
    ['authentication.k8s.io', 'authorization.k8s.io'],
    [
      'SelfSubjectReview',
      'TokenReview',
      'LocalSubjectAccessReview',
      'SelfSubjectAccessReview',
      'SelfSubjectRulesReview',
      'SubjectAccessReview',
    ],
  ),
  rule(['certificates.k8s.io'], ['CertificateSigningRequest']),
  rule(['cert-manager.io'], ['CertificateRequest']),
  rule(['cilium.io'], ['CiliumIdentity', 'CiliumEndpoint', 'CiliumEndpointSlice']),
  rule(
    ['kyverno.io', 'reports.kyverno.io', 'wgpolicyk8s.io'],
    [
      'PolicyReport',
      'ClusterPolicyReport',
      'EphemeralReport',
      'ClusterEphemeralReport',
      'AdmissionReport',
      'ClusterAdmissionReport',
      'BackgroundScanReport',
      'ClusterBackgroundScanReport',
      'UpdateRequest',
    ],
  ),
]
