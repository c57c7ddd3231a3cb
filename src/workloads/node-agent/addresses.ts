import type { KubeObject } from '../../kube/object.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import type { Caches } from '../pods/caches.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import { podNetwork } from './declared-nodes.ts'

/** Which Pod has which address. What is in the caches counts as taken; the lowest free one is given out. */
export class Addresses {
  readonly #pods: Caches['pods']
  readonly #indexes: ReadonlyMap<string, number>
  readonly #byPod = new Map<string, { readonly uid: string; readonly ip: string }>()
  readonly #taken = new Set<string>()
  #hasRead = false

  constructor(pods: Caches['pods'], nodeNames: readonly string[]) {
    this.#pods = pods
    this.#indexes = new Map(nodeNames.map((name, index) => [name, index]))
  }

  hostIP(node: string): string {
    const index = this.#indexes.get(node) ?? 0
    return `10.89.${Math.floor(index / 250)}.${2 + (index % 250)}`
  }

  /** The address of a Pod, the same for as long as the Pod is there. */
  podIP(node: string, pod: KubeObject): string {
    this.#readOnce()
    const key = keyOf(pod)
    const { uid = '' } = pod.metadata
    const known = this.#byPod.get(key)
    if (known?.uid === uid) return known.ip
    this.release(key)
    const reported = podStatusOf(pod).podIP
    const ip = reported || this.#free(podNetwork(this.#indexes.get(node) ?? 0))
    this.#keep(key, uid, ip)
    return ip
  }

  release(key: string): void {
    const known = this.#byPod.get(key)
    if (!known) return
    this.#byPod.delete(key)
    this.#taken.delete(known.ip)
  }

  #readOnce(): void {
    if (this.#hasRead) return
    this.#hasRead = true
    for (const pod of this.#pods.cache.list()) {
      const { podIP } = podStatusOf(pod)
      if (podIP) this.#keep(keyOf(pod), pod.metadata.uid ?? '', podIP)
    }
  }

  #keep(key: string, uid: string, ip: string): void {
    this.#byPod.set(key, { uid, ip })
    this.#taken.add(ip)
  }

  #free(network: string): string {
    for (let last = 2; last < 255; last++) {
      const ip = `${network}.${last}`
      if (!this.#taken.has(ip)) return ip
    }
    // More Pods than addresses: nodes take fewer Pods than this, unless they were declared otherwise.
    return `${network}.255`
  }
}
