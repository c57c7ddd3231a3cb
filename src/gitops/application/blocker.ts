import type { KubeObject } from '../../kube/object.ts'
import type { HealthStatus } from '../health/status.ts'
import type { LiveCluster } from '../live/live-cluster.ts'
import { eventIndex } from '../tree/events.ts'
import { blockerOf } from '../tree/explain.ts'
import { OwnerIndex } from '../tree/owner-index.ts'

const DEEPEST = 4
const MOST = 500
const noEvents = eventIndex([])

/** What stands behind the state of a live object, by all that it owns; '' where nothing more is known. */
export function blockerIn(
  live: LiveCluster,
  healthOf: (object: KubeObject) => HealthStatus | undefined,
): (object: KubeObject) => string {
  return (object) => {
    const index = new OwnerIndex()
    index.set(object)
    let level: readonly KubeObject[] = [object]
    for (let depth = 0; depth < DEEPEST && level.length > 0 && index.size < MOST; depth++) {
      level = level.flatMap(({ metadata }) => (metadata.uid === undefined ? [] : live.children(metadata.uid)))
      for (const child of level) index.set(child)
    }
    return blockerOf(object, { index, events: noEvents, healthOf })
  }
}
