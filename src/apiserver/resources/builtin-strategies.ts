import type { BuiltinResource } from '../../kube/schema/builtin.ts'
import type { Strategy } from './resource.ts'
import { ordinaryStrategy } from './strategy.ts'

/** Kinds that an update creates where there is none (AllowCreateOnUpdate of their strategies). */
const createdByUpdate: ReadonlySet<string> = new Set([
  '/Event',
  'events.k8s.io/Event',
  '/Endpoints',
  '/LimitRange',
  '/Service',
  'coordination.k8s.io/Lease',
  'node.k8s.io/RuntimeClass',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
])

/** Kinds whose updates must name the version they replace. */
const conditional: ReadonlySet<string> = new Set([
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
  'coordination.k8s.io/Lease',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
])

/** Kinds that count the changes of what they want. */
const counted: ReadonlySet<string> = new Set([
  '/Pod',
  '/PodTemplate',
  '/ReplicationController',
  'apps/Deployment',
  'apps/DaemonSet',
  'apps/ReplicaSet',
  'apps/StatefulSet',
  'batch/CronJob',
  'batch/Job',
  'networking.k8s.io/Ingress',
  'networking.k8s.io/IngressClass',
  'networking.k8s.io/NetworkPolicy',
  'policy/PodDisruptionBudget',
  'discovery.k8s.io/EndpointSlice',
  'scheduling.k8s.io/PriorityClass',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
])

/** What a built-in kind does with writes. */
export function strategyOf({ group, kind }: BuiltinResource, hasStatus: boolean): Strategy {
  const id = `${group}/${kind}`
  return ordinaryStrategy({
    hasStatus,
    hasGeneration: counted.has(id),
    createOnUpdate: createdByUpdate.has(id),
    unconditionalUpdate: !conditional.has(id),
  })
}
