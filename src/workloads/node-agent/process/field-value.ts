import type { KubeObject } from '../../../kube/object.ts'
import { type Container, podSpecOf } from '../../../kube/pod.ts'
import { parseQuantity } from '../../../kube/quantity.ts'

/** What a running Pod knows of itself beyond its object. */
export interface PodFacts {
  readonly pod: KubeObject
  readonly podIP: string
  readonly hostIP: string
  /** What its node has, where a container sets no limit. */
  readonly allocatable: Readonly<Record<string, string>>
}

const lines = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .toSorted()
    .join('\n')

/** The value of a field of a Pod, as the environment and volumes of the downward API have it. */
export function fieldValue(path: string, { pod, podIP, hostIP }: PodFacts): string {
  const { metadata } = pod
  const keyed = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path)
  if (keyed) return (keyed[1] === 'labels' ? metadata.labels : metadata.annotations)?.[keyed[2] ?? ''] ?? ''
  const { nodeName = '', serviceAccountName = '' } = podSpecOf(pod)
  const fields = new Map<string, string | undefined>([
    ['metadata.name', metadata.name],
    ['metadata.namespace', metadata.namespace],
    ['metadata.uid', metadata.uid],
    ['metadata.labels', lines(metadata.labels)],
    ['metadata.annotations', lines(metadata.annotations)],
    ['spec.nodeName', nodeName],
    ['spec.serviceAccountName', serviceAccountName],
    ['status.podIP', podIP],
    ['status.podIPs', podIP],
    ['status.hostIP', hostIP],
    ['status.hostIPs', hostIP],
  ])
  return fields.get(path) ?? ''
}

/** The value of a container's resource, in units of a divisor, rounded up. */
export function resourceValue(resource: string, divisor: string, container: Container, facts: PodFacts): string {
  const [kind = '', name = ''] = resource.split('.')
  const { limits = {}, requests = {} } = container.resources ?? {}
  const said = kind === 'limits' ? (limits[name] ?? facts.allocatable[name]) : (requests[name] ?? limits[name])
  const amount = parseQuantity(String(said ?? '0'))
  const unit = parseQuantity(divisor === '' || divisor === '0' ? '1' : divisor)
  if (!amount.ok || !unit.ok || unit.value.nano === 0n) return '0'
  const { nano } = amount.value
  return String((nano + unit.value.nano - 1n) / unit.value.nano)
}
