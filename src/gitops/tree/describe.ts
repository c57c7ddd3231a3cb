import { own } from '../../lib/json.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { seenOf } from '../../kube/builtin/columns/pod.ts'
import { asObjects, at, textAt } from '../health/reading.ts'
import { type Networking, networkingOf } from './networking.ts'

/** A fact worth showing beside an object's name. */
export interface InfoItem {
  readonly name: string
  readonly value: string
}

/** What is shown of an object. */
export interface Description {
  readonly info: readonly InfoItem[]
  readonly images: readonly string[]
  readonly networking?: Networking
}

/** Describes an object by its kind (argo-cd 3.x, controller/cache/info.go); `labels` are shown when it has them. */
export function describe(object: KubeObject, labels: readonly string[] = []): Description {
  const networking = networkingOf(object)
  return {
    info: [...revision(object), ...chosenLabels(object, labels), ...byKind(object)],
    images: isPod(object) ? imagesOf(object) : [],
    ...(networking ? { networking } : {}),
  }
}

const isPod = ({ apiVersion, kind }: KubeObject): boolean => apiVersion === 'v1' && kind === 'Pod'

function revision(object: KubeObject): readonly InfoItem[] {
  const { annotations = {} } = object.metadata
  const text = own(annotations, 'deployment.kubernetes.io/revision') ?? own(annotations, 'rollout.argoproj.io/revision')
  const value = text === undefined ? object['revision'] : Number.parseInt(text, 10)
  return typeof value === 'number' && value > 0 ? [{ name: 'Revision', value: `Rev:${value}` }] : []
}

function chosenLabels({ metadata }: KubeObject, labels: readonly string[]): readonly InfoItem[] {
  return labels.flatMap((name) => {
    const value = metadata.labels ? own(metadata.labels, name) : undefined
    return value === undefined ? [] : [{ name, value }]
  })
}

function byKind(object: KubeObject): readonly InfoItem[] {
  const { group } = parseApiVersion(object.apiVersion)
  if (group === '' && object.kind === 'Pod') return podInfo(object)
  if (group === '' && object.kind === 'Service')
    return [{ name: 'Type', value: textAt(object, 'spec.type') ?? 'ClusterIP' }]
  if (group === '' && object.kind === 'PersistentVolumeClaim')
    return some('Status Reason', textAt(object, 'status.phase'))
  if (group === 'batch' && object.kind === 'CronJob') return some('Schedule', textAt(object, 'spec.schedule'))
  if (group === 'argoproj.io' && object.kind === 'Application')
    return some('Sync', textAt(object, 'status.sync.status'))
  if (group === 'apps') return readyInfo(object)
  return []
}

const some = (name: string, value: string | undefined): readonly InfoItem[] =>
  value === undefined || value === '' ? [] : [{ name, value }]

function podInfo(pod: KubeObject): readonly InfoItem[] {
  const { status, ready, total, restarts } = seenOf(pod)
  return [
    ...some('Status Reason', status),
    { name: 'Node', value: textAt(pod, 'spec.nodeName') ?? '' },
    { name: 'Containers', value: `${ready}/${total}` },
    ...(restarts > 0 ? [{ name: 'Restart Count', value: String(restarts) }] : []),
  ]
}

function readyInfo(object: KubeObject): readonly InfoItem[] {
  const isDaemon = object.kind === 'DaemonSet'
  const wanted = at(object, isDaemon ? 'status.desiredNumberScheduled' : 'spec.replicas')
  if (typeof wanted !== 'number') return []
  const ready = at(object, isDaemon ? 'status.numberReady' : 'status.readyReplicas')
  return [{ name: 'Ready', value: `${typeof ready === 'number' ? ready : 0}/${wanted}` }]
}

/** The images of a Pod, init containers first, each once. */
function imagesOf(pod: KubeObject): readonly string[] {
  const containers = [...asObjects(at(pod, 'spec.initContainers')), ...asObjects(at(pod, 'spec.containers'))]
  return [...new Set(containers.flatMap((container) => textAt(container, 'image') ?? []))]
}
