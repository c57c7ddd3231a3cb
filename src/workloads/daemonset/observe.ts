import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'
import { type Claims, claimsOf, selectorOf } from '../pods/claim.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { observeRevisions, type Revisions } from '../pods/revisions.ts'
import { demandOf } from '../scheduler/demand.ts'
import { isSuitable, untolerated } from '../scheduler/filters.ts'
import { nodeState } from '../scheduler/node.ts'
import { daemonSetSpecOf, daemonTolerations } from './daemonset.ts'

/** What a node means to a DaemonSet, and which of its Pods are there. */
export interface NodeView {
  readonly name: string
  readonly shouldRun: boolean
  readonly mayStay: boolean
  readonly pods: readonly KubeObject[]
}

/** Everything that a DaemonSet's next step depends on. */
export interface Observed {
  readonly set: KubeObject
  readonly claims: Claims
  readonly nodes: readonly NodeView[]
  readonly revisions: Revisions
  readonly nowMs: number
}

/** Reads a DaemonSet, the nodes and its Pods from the caches; undefined when it is gone. */
export function observeDaemonSet(key: string, ports: WorkloadPorts): Observed | undefined {
  const { caches, clock } = ports
  const set = caches.daemonSets.cache.get(key)
  if (!set) return undefined
  const spec = daemonSetSpecOf(set)
  const { template = {} } = spec
  const claims = claimsOf(set, selectorOf(spec.selector), {
    controlled: caches.pods.cache.by('controller', set.metadata.uid ?? ''),
    orphans: caches.pods.cache.by('orphans', set.metadata.namespace ?? ''),
  })
  const byNode = new Map<string, KubeObject[]>()
  for (const pod of claims.own) {
    const node = nodeOf(pod)
    byNode.set(node, [...(byNode.get(node) ?? []), pod])
  }
  const demand = demandOf({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: template.spec ?? {} })
  const tolerations = [...demand.tolerations, ...daemonTolerations]
  const nodes = caches.nodes.cache.list().map((object): NodeView => {
    const state = nodeState(object)
    const fits = isSuitable(demand, state) && (demand.nodeName === undefined || demand.nodeName === state.name)
    return {
      name: state.name,
      shouldRun: fits && !untolerated(tolerations, state.taints, ['NoSchedule', 'NoExecute']),
      mayStay: fits && !untolerated(tolerations, state.taints, ['NoExecute']),
      pods: byNode.get(state.name) ?? [],
    }
  })
  return { set, claims, nodes, revisions: observeRevisions(set, template, ports), nowMs: clock.now() }
}

/** The node that a Pod is on, or that it was made for. */
function nodeOf(pod: KubeObject): string {
  const { nodeName } = podSpecOf(pod)
  if (nodeName) return nodeName
  const fields = demandOf(pod).nodeTerms?.[0]?.matchFields ?? []
  return fields.find(({ key }) => key === 'metadata.name')?.values[0] ?? ''
}
