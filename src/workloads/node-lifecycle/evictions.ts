import { isNodeReady, zoneOf, zoneStateOf } from './plan.ts'
import type { KubeObject } from '../../kube/object.ts'

/** One node in ten seconds. */
const EVERY_MS = 10_000
/** In a large zone that is mostly in trouble: one in a hundred seconds; in a small one none. */
const EVERY_IN_TROUBLE_MS = 100_000
const LARGE_ZONE = 50

/** What may be done about a node that is in trouble. */
export interface Allowance {
  readonly mayEvict: boolean
  readonly isAllLost: boolean
}

/** Keeps the pace at which the Pods of lost nodes are sent away, by zone. */
export class EvictionPace {
  readonly #nextMs = new Map<string, number>()

  /** What may be done about this node now; it is taken for done only when `spend` is called. */
  allowance(node: KubeObject, nodes: readonly KubeObject[], nowMs: number): Allowance {
    const zones = new Map<string, { ready: number; notReady: number }>()
    for (const one of nodes) {
      const zone = zoneOf(one)
      const counts = zones.get(zone) ?? { ready: 0, notReady: 0 }
      zones.set(zone, counts)
      // The one that is asked for may be about to be called unready.
      if (isNodeReady(one) && one.metadata.name !== node.metadata.name) counts.ready += 1
      else counts.notReady += 1
    }
    const states = [...zones.values()].map(({ ready, notReady }) => zoneStateOf(ready, notReady))
    if (states.every((state) => state === 'full')) return { mayEvict: false, isAllLost: true }
    const mine = zones.get(zoneOf(node)) ?? { ready: 0, notReady: 1 }
    const isPartial = zoneStateOf(mine.ready, mine.notReady) === 'partial'
    if (isPartial && mine.ready + mine.notReady <= LARGE_ZONE) return { mayEvict: false, isAllLost: false }
    return { mayEvict: nowMs >= (this.#nextMs.get(zoneOf(node)) ?? 0), isAllLost: false }
  }

  spend(node: KubeObject, nodes: readonly KubeObject[], nowMs: number): void {
    const peers = nodes.filter((one) => zoneOf(one) === zoneOf(node))
    const ready = peers.filter(isNodeReady).length
    const isPartial = zoneStateOf(ready, peers.length - ready) === 'partial'
    this.#nextMs.set(zoneOf(node), nowMs + (isPartial ? EVERY_IN_TROUBLE_MS : EVERY_MS))
  }
}
