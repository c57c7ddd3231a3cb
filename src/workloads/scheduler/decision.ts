import type { Demand } from './demand.ts'
import type { Observed } from './observe.ts'
import { planPlacement } from './plan.ts'
import { describeNoPreemption, planPreemption } from './preemption.ts'
import { volumeRule, type VolumeStep, volumeSteps } from './volumes.ts'

/** What to do for a Pod that wants a node. */
export type Decision =
  | {
      readonly do: 'bind'
      readonly node: string
      /** What has to happen to its volumes first. */
      readonly volumes: readonly VolumeStep[]
      readonly because: string
    }
  | {
      readonly do: 'make-room'
      readonly node: string
      readonly victims: readonly Demand[]
      readonly because: string
    }
  | {
      readonly do: 'wait'
      readonly because: string
      /** The node that was promised to it stays promised. */
      readonly isPromiseKept?: boolean
    }

/** Places the Pod, or makes room for it, or says why neither can be. Pure, as the plans that it is made of. */
export function decide(seen: Observed): Decision {
  const { demand, snapshot, budgets, isRoomBeingMade, volumes: facts } = seen
  const total = snapshot.nodes.length
  if (facts?.refusal !== undefined && total > 0) {
    const tail = `preemption: 0/${total} nodes are available: ${total} Preemption is not helpful for scheduling.`
    return { do: 'wait', because: `0/${total} nodes are available: ${facts.refusal}. ${tail}` }
  }
  const volumes = facts && volumeRule(demand, facts, snapshot)
  const placement = planPlacement(demand, snapshot, volumes)
  if (placement.do === 'bind') {
    const node = snapshot.nodes.find(({ name }) => name === placement.node)
    return { ...placement, volumes: facts && node ? volumeSteps(facts, node) : [] }
  }
  const { because, obstacles } = placement
  if (total === 0) return { do: 'wait', because }
  if (isRoomBeingMade) {
    const tail = 'preemption: not eligible due to a terminating pod on the nominated node.'
    return { do: 'wait', because: `${because} ${tail}`, isPromiseKept: true }
  }
  if (!demand.mayPreempt)
    return { do: 'wait', because: `${because} preemption: not eligible due to preemptionPolicy=Never.` }
  const preemption = planPreemption({ demand, snapshot, obstacles, budgets, ...(volumes ? { volumes } : {}) })
  if (preemption) return { do: 'make-room', node: preemption.node, victims: preemption.victims, because }
  return { do: 'wait', because: `${because} ${describeNoPreemption(total, obstacles)}` }
}
