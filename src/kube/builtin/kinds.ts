import type { GroupVersionKind } from '../gvk.ts'
import { checkDns1035Label, checkDnsLabel, checkDnsSubdomain, checkPathSegment, type NameCheck } from '../names.ts'
import { batchPreparations } from './batch/strategies.ts'
import { corePreparations } from './core/strategies.ts'
import type { Strategy } from './strategy.ts'

type GroupKind = Pick<GroupVersionKind, 'group' | 'kind'>

const idOf = ({ group, kind }: GroupKind): string => `${group}/${kind}`

/** Kinds that count the changes of what they want in metadata.generation. */
const counted: ReadonlySet<string> = new Set([
  '/Pod',
  '/PodTemplate',
  '/ReplicationController',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apps/DaemonSet',
  'apps/Deployment',
  'apps/ReplicaSet',
  'apps/StatefulSet',
  'batch/CronJob',
  'batch/Job',
  'discovery.k8s.io/EndpointSlice',
  'flowcontrol.apiserver.k8s.io/FlowSchema',
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration',
  'networking.k8s.io/Ingress',
  'networking.k8s.io/IngressClass',
  'networking.k8s.io/NetworkPolicy',
  'policy/PodDisruptionBudget',
  'scheduling.k8s.io/PriorityClass',
])

/** CronJobs leave room for the eleven characters that name a Job. */
const checkCronJobName: NameCheck = (name) => [
  ...checkDnsSubdomain(name),
  ...(name.length > 52 ? ['must be no more than 52 characters'] : []),
]

/** Names that are not DNS subdomains. */
const nameChecks: Readonly<Record<string, NameCheck>> = {
  '/Namespace': checkDnsLabel,
  '/Service': checkDns1035Label,
  'apiregistration.k8s.io/APIService': checkPathSegment,
  'apps/StatefulSet': checkDnsLabel,
  'batch/CronJob': checkCronJobName,
  'certificates.k8s.io/CertificateSigningRequest': checkPathSegment,
  'certificates.k8s.io/ClusterTrustBundle': checkPathSegment,
  'rbac.authorization.k8s.io/ClusterRole': checkPathSegment,
  'rbac.authorization.k8s.io/ClusterRoleBinding': checkPathSegment,
  'rbac.authorization.k8s.io/Role': checkPathSegment,
  'rbac.authorization.k8s.io/RoleBinding': checkPathSegment,
}

/** How the names of a built-in kind must look. */
export const nameCheckOf = (kind: GroupKind): NameCheck => nameChecks[idOf(kind)] ?? checkDnsSubdomain

const preparations = { ...corePreparations, ...batchPreparations }

/** How a built-in kind behaves when it is written; whether its status has a door of its own is in the resource table. */
export function builtinStrategy(kind: GroupKind, hasStatus: boolean): Strategy {
  const id = idOf(kind)
  return {
    ...preparations[id],
    hasStatus,
    countsGenerations: counted.has(id),
    createsWithStatus: id === '/Node',
    statusKeepsLabels: kind.group === 'apps',
  }
}
