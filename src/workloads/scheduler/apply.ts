import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Status } from '../../kube/status.ts'
import { formatTime } from '../../kube/time.ts'
import { isEqual } from '../../lib/json.ts'
import { PersistentVolume, PersistentVolumeClaim, Pod } from '../pods/kinds.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { targetOf } from '../pods/write.ts'
import { claimRefOf } from '../volumes/provision.ts'
import { BOUND_BY_CONTROLLER, SELECTED_NODE, volumeSpecOf } from '../volumes/volumes.ts'
import type { Demand } from './demand.ts'
import type { VolumeStep } from './volumes.ts'

/** Gives a Pod its node; answers the refusal, if there was one. */
export async function bindPod(
  demand: Demand,
  node: string,
  { client, events }: WorkloadPorts,
): Promise<Status | undefined> {
  const { pod } = demand
  const { name = '', namespace = '', uid } = pod.metadata
  const body = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, ...(uid === undefined ? {} : { uid }) },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  }
  const answer = await client.create({ resource: Pod, namespace, name, subresource: 'binding' }, body)
  // A Binding is answered by a Status, which says that it was created.
  if (!answer.ok && (answer.error.status as string) !== 'Success') return answer.error
  events.note(pod, {
    type: 'Normal',
    reason: 'Scheduled',
    message: `Successfully assigned ${namespace}/${name} to ${node}`,
  })
  return undefined
}

/** Says on the Pod why it has no node, and on which node room is being made for it, if on any. */
export async function tellUnschedulable(
  pod: KubeObject,
  { because, nominated }: { readonly because: string; readonly nominated: string | undefined },
  { client, clock, events }: WorkloadPorts,
): Promise<Status | undefined> {
  events.note(pod, { type: 'Warning', reason: 'FailedScheduling', message: because })
  const before = podStatusOf(pod)
  const condition: Condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: because }
  const conditions = setCondition(before.conditions, condition, clock.now())
  const { nominatedNodeName: _before, ...rest } = before
  const status = { ...rest, conditions, ...(nominated === undefined ? {} : { nominatedNodeName: nominated }) }
  if (isEqual(before, status)) return undefined
  const answer = await client.update({ ...targetOf(Pod, pod), subresource: 'status' }, { ...pod, status })
  return answer.ok || answer.error.reason === 'NotFound' ? undefined : answer.error
}

/** Sends the victims away with the grace that is theirs, each told why. */
export async function evictVictims(
  preemptor: KubeObject,
  { node, victims }: { readonly node: string; readonly victims: readonly Demand[] },
  { client, clock, events }: WorkloadPorts,
): Promise<void> {
  await Promise.all(
    victims.map(async ({ pod }) => {
      const { uid = '' } = pod.metadata
      const message = 'default-scheduler: preempting to accommodate a higher priority pod'
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message,
        lastTransitionTime: formatTime(clock.now()),
      }
      await client.patch(
        { ...targetOf(Pod, pod), subresource: 'status' },
        { type: 'strategic', body: { status: { conditions: [condition] } } },
      )
      const gone = await client.delete(targetOf(Pod, pod), { preconditions: { uid } })
      if (!gone.ok) return
      events.note(pod, {
        type: 'Normal',
        reason: 'Preempted',
        message: `Preempted by pod ${preemptor.metadata.uid ?? ''} on node ${node}`,
      })
    }),
  )
}

/** Has volumes made for the node that was chosen, or sets aside those that are there. */
export async function writeVolumeSteps(
  steps: readonly VolumeStep[],
  { client }: WorkloadPorts,
): Promise<Status | undefined> {
  for (const step of steps) {
    const answer =
      step.do === 'select-node'
        ? await client.patch(targetOf(PersistentVolumeClaim, step.claim), {
            type: 'merge',
            body: { metadata: { annotations: { [SELECTED_NODE]: step.node } } },
          })
        : await client.update(targetOf(PersistentVolume, step.volume), setAside(step.volume, step.claim))
    if (!answer.ok) return answer.error
  }
  return undefined
}

function setAside(volume: KubeObject, claim: KubeObject): KubeObject {
  const annotations = { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' }
  const spec = { ...volumeSpecOf(volume), claimRef: claimRefOf(claim) }
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec }
}
