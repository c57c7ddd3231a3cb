import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'
import type { Strategy } from './resource.ts'

/** What a kind allows its writers, beyond what its strategy does to the object. */
export type Traits = Omit<Strategy, 'prepareCreate' | 'prepareUpdate' | 'prepareStatus'>

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
])

const specOf = (object: KubeObject): Readonly<Record<string, unknown>> =>
  isObject(object['spec']) ? object['spec'] : {}
const statusOf = (object: KubeObject): Readonly<Record<string, unknown>> =>
  isObject(object['status']) ? object['status'] : {}

/** A deleted Namespace says so, and is held until its contents are gone. */
const namespaceTraits: Partial<Traits> = {
  markGoing: (object) => ({ ...object, status: { ...statusOf(object), phase: 'Terminating' } }),
  isHeld(object) {
    const { finalizers } = specOf(object)
    return Array.isArray(finalizers) && finalizers.length > 0
  },
}

const DEFAULT_GRACE_S = 30

/** A Pod is given time to end where it runs. */
const podTraits: Partial<Traits> = {
  gracePeriod(object, asked) {
    const spec = specOf(object)
    const { phase } = statusOf(object)
    if (!spec['nodeName'] || phase === 'Succeeded' || phase === 'Failed') return 0
    const own = spec['terminationGracePeriodSeconds']
    const wanted = asked ?? (typeof own === 'number' ? own : DEFAULT_GRACE_S)
    return wanted < 0 ? 1 : wanted
  },
}

const unusual: ReadonlyMap<string, Partial<Traits>> = new Map([
  ['/Namespace', namespaceTraits],
  ['/Pod', podTraits],
  ['/ReplicationController', { orphansByDefault: true }],
  ['batch/Job', { orphansByDefault: true }],
])

/** What a built-in kind allows its writers. */
export function builtinTraits({ group, kind }: { readonly group: string; readonly kind: string }): Traits {
  const id = `${group}/${kind}`
  return {
    createOnUpdate: createdByUpdate.has(id),
    unconditionalUpdate: !conditional.has(id),
    ...unusual.get(id),
  }
}
