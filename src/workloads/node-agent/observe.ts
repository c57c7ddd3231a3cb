import type { KubeObject } from '../../kube/object.ts'
import { type Container, podSpecOf } from '../../kube/pod.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import type { Addresses } from './addresses.ts'
import type { DeclaredNode } from './declared-nodes.ts'
import type { Runtime } from './runtime.ts'
import { isLost } from './tend-node.ts'
import { environmentObstacle, type NeedSources, volumeObstacle } from './needs.ts'

/** Everything that a Pod's next moment on its node depends on. */
export interface Observed {
  readonly pod: KubeObject
  readonly nowMs: number
  readonly podIP: string
  readonly hostIP: string
  /** What runs its containers; undefined when nobody knows the runtime that it asks for. */
  readonly runtime: Pick<Runtime, 'name' | 'pullProblem' | 'inspect'> | undefined
  /** The runtime that it asks for. */
  readonly runtimeName: string
  /** Why its volumes cannot be set up. */
  readonly volumeObstacle: string | undefined
  /** Why the environment of a container cannot be made. */
  readonly environmentObstacle: (container: Container) => string | undefined
}

/** Reads a Pod that is on one of our nodes; undefined when it is gone, or elsewhere, or its node is lost. */
export function observePod(
  key: string,
  { caches, clock }: WorkloadPorts,
  declared: {
    readonly nodes: ReadonlyMap<string, DeclaredNode>
    readonly addresses: Addresses
    readonly runtimes: ReadonlyMap<string, Runtime>
  },
): Observed | undefined {
  const pod = caches.pods.cache.get(key)
  for (const runtime of declared.runtimes.values()) runtime.keepOnly(key, pod?.metadata.uid)
  if (!pod) {
    declared.addresses.release(key)
    return undefined
  }
  const { nodeName = '', hostNetwork } = podSpecOf(pod)
  const node = declared.nodes.get(nodeName)
  if (!node || isLost(caches.nodes.cache.get(`/${nodeName}`))) return undefined
  const runtimeName = runtimeNameOf(pod, node)
  const hostIP = declared.addresses.hostIP(nodeName)
  const runtime = declared.runtimes.get(runtimeName)
  const podIP = hostNetwork === true ? hostIP : (runtime?.addressOf?.(pod) ?? declared.addresses.podIP(nodeName, pod))
  const sources = needSources(caches)
  return {
    pod,
    nowMs: clock.now(),
    podIP,
    hostIP,
    runtime,
    runtimeName,
    volumeObstacle: volumeObstacle(pod, sources),
    environmentObstacle: (container) => environmentObstacle(container, pod.metadata.namespace ?? '', sources),
  }
}

/** The RuntimeClass of the Pod, else the runtime of its node. */
export function runtimeNameOf(pod: KubeObject, { runtime = 'simulated' }: DeclaredNode): string {
  const asked = podSpecOf(pod)['runtimeClassName']
  return typeof asked === 'string' && asked !== '' ? asked : runtime
}

function needSources({ configMaps, secrets, claims }: WorkloadPorts['caches']): NeedSources {
  const informers = { ConfigMap: configMaps, Secret: secrets, PersistentVolumeClaim: claims }
  return { find: (kind, namespace, name) => informers[kind].cache.get(`${namespace}/${name}`) }
}
