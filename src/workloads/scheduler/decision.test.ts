import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { decide } from './decision.ts'
import { demandOf } from './demand.ts'
import { nodeState, withPod } from './node.ts'
import type { Observed } from './observe.ts'
import { volumeFacts } from './volumes.ts'

const pod = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '3' } } }], ...spec },
})
/** Two nodes of four CPUs; the first is taken by a Pod of priority 0. */
function seen(one: KubeObject, more: Partial<Observed> = {}): Observed {
  const bare = (name: string) =>
    nodeState({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      status: { allocatable: { cpu: '4', pods: '10' } },
    })
  return {
    pod: one,
    demand: demandOf(one),
    snapshot: { nodes: [withPod(bare('a'), demandOf(pod('old'))), bare('b')], namespaceLabels: () => undefined },
    budgets: [],
    isRoomBeingMade: false,
    volumes: undefined,
    ...more,
  }
}
const onA = { nodeSelector: { 'kubernetes.io/hostname': 'a' } }
const noRoom = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector."

test.each([
  { name: 'takes the node with room', got: decide(seen(pod('new'))), want: { do: 'bind', node: 'b', volumes: [] } },
  {
    name: 'makes room for the more important one',
    got: decide(seen(pod('new', { ...onA, priority: 10 }))),
    want: { do: 'make-room', node: 'a', because: noRoom },
  },
  {
    name: 'makes none for one that does not want it',
    got: decide(seen(pod('new', { ...onA, priority: 10, preemptionPolicy: 'Never' }))),
    want: { do: 'wait', because: `${noRoom} preemption: not eligible due to preemptionPolicy=Never.` },
  },
  {
    name: 'waits while room is being made, and keeps the promise',
    got: decide(seen(pod('new', { ...onA, priority: 10 }), { isRoomBeingMade: true })),
    want: {
      do: 'wait',
      isPromiseKept: true,
      because: `${noRoom} preemption: not eligible due to a terminating pod on the nominated node.`,
    },
  },
  {
    name: 'waits for a claim that is not there, whatever room there is',
    got: decide(
      seen(pod('new'), {
        volumes: volumeFacts(pod('new'), [
          { name: 'data', isOwn: false, claim: undefined, storage: undefined, candidates: [] },
        ]),
      }),
    ),
    want: {
      do: 'wait',
      because:
        '0/2 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    },
  },
])('$name', ({ got, want }) => expect(got).toMatchObject(want))
