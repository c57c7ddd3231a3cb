import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import type { Addresses } from './addresses.ts'
import type { DeclaredNode } from './declared-nodes.ts'

/** Everything that a Pod's next moment on its node depends on. */
export interface Observed {
  readonly pod: KubeObject
  readonly nowMs: number
  readonly podIP: string
  readonly hostIP: string
  readonly isImageMissing: (image: string) => boolean
}

/** Reads a Pod that is on one of our nodes; undefined when it is gone, or elsewhere. */
export function observePod(
  key: string,
  { caches, clock }: WorkloadPorts,
  declared: {
    readonly nodes: ReadonlyMap<string, DeclaredNode>
    readonly addresses: Addresses
    readonly isImageMissing: (image: string) => boolean
  },
): Observed | undefined {
  const pod = caches.pods.cache.get(key)
  if (!pod) {
    declared.addresses.release(key)
    return undefined
  }
  const { nodeName = '', hostNetwork } = podSpecOf(pod)
  if (!declared.nodes.has(nodeName)) return undefined
  const hostIP = declared.addresses.hostIP(nodeName)
  const podIP = hostNetwork === true ? hostIP : declared.addresses.podIP(nodeName, pod)
  return { pod, nowMs: clock.now(), podIP, hostIP, isImageMissing: declared.isImageMissing }
}
