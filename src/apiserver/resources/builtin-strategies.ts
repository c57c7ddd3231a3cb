import type { KubeObject } from '../../kube/object.ts'
import type { BuiltinResource } from '../../kube/schema/builtin.ts'
import { isObject } from '../../lib/json.ts'
import { withMetadata } from '../storage/stamp.ts'
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
  const ordinary = ordinaryStrategy({
    hasStatus,
    hasGeneration: counted.has(id),
    createOnUpdate: createdByUpdate.has(id),
    unconditionalUpdate: !conditional.has(id),
  })
  const unusual = unusualStrategies.get(id)
  return unusual ? { ...ordinary, ...unusual(ordinary) } : ordinary
}

/** What some kinds do differently. */
const unusualStrategies: ReadonlyMap<string, (ordinary: Strategy) => Partial<Strategy>> = new Map<
  string,
  (ordinary: Strategy) => Partial<Strategy>
>([
  ['/Namespace', namespaceStrategy],
  ['/Pod', podStrategy],
  ['/ReplicationController', () => ({ orphansByDefault: true })],
  ['batch/Job', () => ({ orphansByDefault: true })],
])

const specOf = (object: KubeObject): Readonly<Record<string, unknown>> =>
  isObject(object['spec']) ? object['spec'] : {}
const statusOf = (object: KubeObject): Readonly<Record<string, unknown>> =>
  isObject(object['status']) ? object['status'] : {}

const NAMESPACE_FINALIZER = 'kubernetes'
const NAME_LABEL = 'kubernetes.io/metadata.name'

/** A Namespace is there at once, keeps its name as a label, and is held until its contents are gone. */
function namespaceStrategy(ordinary: Strategy): Partial<Strategy> {
  const labelled = (object: KubeObject): KubeObject =>
    withMetadata(object, { labels: { ...object.metadata.labels, [NAME_LABEL]: object.metadata.name ?? '' } })
  return {
    prepareCreate(object) {
      const { finalizers } = specOf(object)
      const named = Array.isArray(finalizers) ? finalizers : []
      const held = named.includes(NAMESPACE_FINALIZER) ? named : [...named, NAMESPACE_FINALIZER]
      return { ...labelled(ordinary.prepareCreate(object)), spec: { finalizers: held }, status: { phase: 'Active' } }
    },
    prepareUpdate(object, old) {
      return labelled({ ...ordinary.prepareUpdate(object, old), spec: specOf(old) })
    },
    markGoing: (object) => ({ ...object, status: { ...statusOf(object), phase: 'Terminating' } }),
    isHeld(object) {
      const { finalizers } = specOf(object)
      return Array.isArray(finalizers) && finalizers.length > 0
    },
  }
}

const DEFAULT_GRACE_S = 30

/** A Pod starts out pending, and is given time to end where it runs. */
function podStrategy(ordinary: Strategy): Partial<Strategy> {
  return {
    prepareCreate: (object) => ({
      ...ordinary.prepareCreate(object),
      status: { phase: 'Pending', qosClass: qualityOf(specOf(object)) },
    }),
    gracePeriod(object, asked) {
      const spec = specOf(object)
      const { phase } = statusOf(object)
      if (!spec['nodeName'] || phase === 'Succeeded' || phase === 'Failed') return 0
      const own = spec['terminationGracePeriodSeconds']
      return asked ?? (typeof own === 'number' ? Math.max(own, own < 0 ? 1 : 0) : DEFAULT_GRACE_S)
    },
  }
}

type Resources = Readonly<Record<string, unknown>>

/** Guaranteed, Burstable or BestEffort, by what the containers ask for. */
function qualityOf(spec: Readonly<Record<string, unknown>>): string {
  const containers = [spec['containers'], spec['initContainers']].flatMap((list) =>
    Array.isArray(list) ? list.filter(isObject) : [],
  )
  const asked = containers.map(({ resources }) => (isObject(resources) ? resources : {}))
  const part = (of: Resources, name: string): Resources => (isObject(of[name]) ? of[name] : {})
  const hasAny = asked.some((of) =>
    ['cpu', 'memory'].some((name) => part(of, 'requests')[name] ?? part(of, 'limits')[name]),
  )
  if (!hasAny) return 'BestEffort'
  const isGuaranteed = asked.every((of) =>
    ['cpu', 'memory'].every((name) => {
      const limit = part(of, 'limits')[name]
      return limit !== undefined && (part(of, 'requests')[name] ?? limit) === limit
    }),
  )
  return isGuaranteed ? 'Guaranteed' : 'Burstable'
}
