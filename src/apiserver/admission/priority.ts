import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'
import { failure, type Status } from '../../kube/status.ts'
import { type ClusterReader } from './cluster-reader.ts'
import { forbidden, isAbout } from './denials.ts'

/** Larger values are kept for the system's own classes. */
const HIGHEST_USER_PRIORITY = 1_000_000_000

/** Every cluster has these two. */
export const systemPriorityClasses: readonly KubeObject[] = [
  systemClass('system-cluster-critical', 2_000_000_000, 'For what a cluster cannot do without, wherever it runs.'),
  systemClass('system-node-critical', 2_000_001_000, 'For what a node cannot do without.'),
]

function systemClass(name: string, value: number, description: string): KubeObject {
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
    description,
    preemptionPolicy: 'PreemptLowerPriority',
  }
}

interface PriorityClass {
  readonly name: string
  readonly value: number
  readonly preemptionPolicy: string
  readonly isDefault: boolean
}

function readClass(object: KubeObject): PriorityClass {
  return {
    name: object.metadata.name ?? '',
    value: typeof object['value'] === 'number' ? object['value'] : 0,
    preemptionPolicy:
      typeof object['preemptionPolicy'] === 'string' ? object['preemptionPolicy'] : 'PreemptLowerPriority',
    isDefault: object['globalDefault'] === true,
  }
}

const classesOf = (reader: ClusterReader): readonly PriorityClass[] =>
  reader.list('scheduling.k8s.io', 'priorityclasses').map(readClass)

/** Writes the priority that a Pod's class stands for into the Pod, and keeps the classes themselves sane. */
export function priority(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'Priority',
    handles: (request) =>
      (request.operation === 'CREATE' && isAbout(request, 'pods')) ||
      ((request.operation === 'CREATE' || request.operation === 'UPDATE') &&
        isAbout(request, 'priorityclasses', 'scheduling.k8s.io')),
    mutate(request) {
      if (!request.object || request.resource.plural !== 'pods') return Promise.resolve({ allowed: true })
      const outcome = resolvePriority(request.object, classesOf(reader))
      if (typeof outcome === 'string') return Promise.resolve({ allowed: false, status: forbidden(request, outcome) })
      return Promise.resolve({ allowed: true, object: outcome })
    },
    validate(request) {
      const status =
        request.resource.plural === 'priorityclasses' ? classRefusal(request, classesOf(reader)) : undefined
      return Promise.resolve(status ? { allowed: false, status } : { allowed: true })
    },
  }
}

/** The Pod with its priority, or why it has none. */
export function resolvePriority(pod: KubeObject, classes: readonly PriorityClass[]): KubeObject | string {
  const spec = podSpecOf(pod)
  const wanted = spec.priorityClassName
  const found = wanted ? classes.find(({ name }) => name === wanted) : lowestDefault(classes)
  if (wanted && !found) return `no PriorityClass with name ${wanted} was found`
  const { name, value, preemptionPolicy } = found ?? { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' }
  if (spec.priority !== undefined && spec.priority !== value) {
    return `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    return `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`
  }
  const className = name === '' ? {} : { priorityClassName: name }
  return { ...pod, spec: { ...spec, ...className, priority: value, preemptionPolicy } }
}

function lowestDefault(classes: readonly PriorityClass[]): PriorityClass | undefined {
  return classes.filter(({ isDefault }) => isDefault).toSorted((a, b) => a.value - b.value)[0]
}

function classRefusal(request: AdmissionRequest, classes: readonly PriorityClass[]): Status | undefined {
  if (!request.object) return undefined
  const next = readClass(request.object)
  const isSystem = systemPriorityClasses.some(
    (known) => known.metadata.name === next.name && known['value'] === next.value,
  )
  if (!isSystem && next.name.startsWith('system-')) {
    return forbidden(
      request,
      "metadata.name: priority class names with 'system-' prefix are reserved for system use only",
    )
  }
  if (!isSystem && next.value > HIGHEST_USER_PRIORITY) {
    return forbidden(request, `value: the maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`)
  }
  const other = next.isDefault ? classes.find(({ isDefault, name }) => isDefault && name !== next.name) : undefined
  if (!other) return undefined
  return failure('Forbidden', `PriorityClass ${other.name} is already marked as default. Only one default can exist`, {
    kind: 'priorityclasses',
    name: next.name,
  })
}
