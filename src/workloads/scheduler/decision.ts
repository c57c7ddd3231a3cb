import type { Demand } from './demand.ts'
import type { Observed } from './observe.ts'
import { planPlacement } from './plan.ts'
import { describeNoPreemption, planPreemption } from './preemption.ts'

/** What to do for a Pod that wants a node. */
export type Decision =
  | { readonly do: 'bind'; readonly node: string; readonly because: string }
  | {
      readonly do: 'make-room'
      readonly node: string
      readonly victims: readonly Demand[]
      readonly because: string
    }
  | { readonly do: 'wait'; readonly because: string }

/** Places the Pod, or makes room for it, or says why neither can be. Pure, as the plans that it is made of. */
export function decide(seen: Observed): Decision {
  const { demand, snapshot, budgets, isRoomBeingMade } = seen
  const placement = planPlacement(demand, snapshot)
  if (placement.do === 'bind') return placement
  const { because, obstacles } = placement
  const total = snapshot.nodes.length
  if (total === 0) return { do: 'wait', because }
  if (isRoomBeingMade) {
    return { do: 'wait', because: `${because} preemption: waiting for victims to leave the nominated node.` }
  }
  if (!demand.mayPreempt) {
    const tail = `preemption: 0/${total} nodes are available: ${total} Preemption is not helpful for scheduling.`
    return { do: 'wait', because: `${because} ${tail}` }
  }
  const preemption = planPreemption({ demand, snapshot, obstacles, budgets })
  if (preemption) return { do: 'make-room', node: preemption.node, victims: preemption.victims, because }
  return { do: 'wait', because: `${because} ${describeNoPreemption(total, obstacles)}` }
}
