import type { ApiResult } from '../../kube/status.ts'
import type { KubeObject } from '../../kube/object.ts'
import { controllerReference } from '../../kube/owner.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Deployment, ReplicaSet } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { isSameTemplate } from '../pods/template.ts'
import { seenBy, targetOf, writeClaims, writeStatus } from '../pods/write.ts'
import { replicaSetSpecOf } from '../replicaset/replicaset.ts'
import { REVISION } from './deployment.ts'
import type { Observed } from './observe.ts'
import type { DeploymentPlan, Step } from './plan.ts'
import { type Outcome, planStatus } from './status.ts'

/** Takes the steps of a rollout one after the other, then tells how it stands. */
export async function applyDeployment(
  plan: DeploymentPlan,
  seen: Observed,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { deployment } = seen
  const { client, caches } = ports
  const claimed = await writeClaims(ports, deployment, { owner: Deployment, owned: ReplicaSet }, seen.claims)
  const written: KubeObject[] = [...claimed.written]
  let outcome: Outcome = {}
  let latest = deployment
  let refusal = claimed.refused
  for (const step of plan.steps) {
    if (refusal) break
    log.debug('rolling out', { do: step.do, because: step.because })
    const answer = await take(step, deployment, ports)
    if (!answer.ok) {
      const told = await collision(step, answer, deployment, ports)
      outcome = { ...outcome, ...told.outcome }
      if (told.isHarmless) continue
      refusal = answer.error
    } else if (step.do === 'annotate-deployment') latest = answer.value
    else {
      written.push(answer.value)
      if (step.do === 'create-set') outcome = { ...outcome, created: answer.value.metadata.name ?? '' }
    }
  }
  const { status, againAfterMs } = planStatus(seen, outcome)
  const place = { client, kind: Deployment, informer: caches.deployments, signal }
  const refused = refusal ?? (await writeStatus(place, latest, status))
  await seenBy(caches.replicaSets, written, signal)
  if (latest !== deployment) await caches.deployments.caughtUp(latest, signal)
  if (refused) {
    // What stands in the way is told before it is tried again.
    if (outcome.refused !== undefined || outcome.collided) await writeStatus(place, latest, status)
    return retryAfter(refused)
  }
  return againAfterMs === undefined ? done : again(againAfterMs, 'the rollout has a deadline')
}

function take(step: Step, deployment: KubeObject, ports: WorkloadPorts): Promise<ApiResult<KubeObject>> {
  const { client } = ports
  switch (step.do) {
    case 'create-set': {
      const ownerReferences = [controllerReference(deployment, Deployment)]
      const set = { ...step.set, metadata: { ...step.set.metadata, ownerReferences } }
      return createSet(set, deployment, ports)
    }
    case 'scale-set':
      return scaleSet(step, deployment, ports)
    case 'annotate-set': {
      const { set, annotations, minReadySeconds } = step
      const isReadyAsBefore = minReadySeconds === (replicaSetSpecOf(set).minReadySeconds ?? 0)
      const body = { metadata: { annotations }, ...(isReadyAsBefore ? {} : { spec: { minReadySeconds } }) }
      return client.patch(targetOf(ReplicaSet, set), { type: 'merge', body })
    }
    case 'annotate-deployment': {
      const body = { metadata: { annotations: { [REVISION]: step.revision } } }
      return client.patch(targetOf(Deployment, deployment), { type: 'merge', body })
    }
    case 'delete-set':
      return deleteSet(step.set, ports)
  }
}

async function createSet(
  set: KubeObject,
  deployment: KubeObject,
  { client, events }: WorkloadPorts,
): Promise<ApiResult<KubeObject>> {
  const namespace = deployment.metadata.namespace ?? ''
  const answer = await client.create({ resource: ReplicaSet, namespace }, set)
  const { replicas = 0 } = replicaSetSpecOf(set)
  if (answer.ok && replicas > 0) {
    const message = `Scaled up replica set ${set.metadata.name ?? ''} from 0 to ${replicas}`
    events.note(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message })
  }
  return answer
}

async function scaleSet(
  { set, replicas }: Extract<Step, { do: 'scale-set' }>,
  deployment: KubeObject,
  { client, events }: WorkloadPorts,
): Promise<ApiResult<KubeObject>> {
  const before = replicaSetSpecOf(set).replicas ?? 1
  const answer = await client.patch(targetOf(ReplicaSet, set), { type: 'merge', body: { spec: { replicas } } })
  if (answer.ok) {
    const way = replicas > before ? 'up' : 'down'
    const message = `Scaled ${way} replica set ${set.metadata.name ?? ''} from ${before} to ${replicas}`
    events.note(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message })
  }
  return answer
}

async function deleteSet(set: KubeObject, { client }: WorkloadPorts): Promise<ApiResult<KubeObject>> {
  const { uid } = set.metadata
  const gone = await client.delete(targetOf(ReplicaSet, set), {
    propagationPolicy: 'Background',
    ...(uid === undefined ? {} : { preconditions: { uid } }),
  })
  return gone.ok || gone.error.reason === 'NotFound' ? { ok: true, value: set } : gone
}

/** A set of the name is there already: ours, which the cache has not seen, or another's, which needs another name. */
async function collision(
  step: Step,
  answer: Extract<ApiResult<KubeObject>, { ok: false }>,
  deployment: KubeObject,
  { client, events }: WorkloadPorts,
): Promise<{ readonly outcome: Outcome; readonly isHarmless: boolean }> {
  if (step.do !== 'create-set') return { outcome: {}, isHarmless: answer.error.reason === 'NotFound' }
  if (answer.error.reason !== 'AlreadyExists') {
    const message = `Failed to create new replica set ${JSON.stringify(step.set.metadata.name)}: ${answer.error.message}`
    events.note(deployment, { type: 'Warning', reason: 'ReplicaSetCreateError', message })
    return { outcome: { refused: message }, isHarmless: false }
  }
  const found = await client.get(targetOf(ReplicaSet, step.set))
  if (!found.ok) return { outcome: {}, isHarmless: false }
  const isOurs =
    found.value.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid) === true &&
    isSameTemplate(replicaSetSpecOf(found.value).template ?? {}, replicaSetSpecOf(step.set).template ?? {})
  return { outcome: isOurs ? {} : { collided: true }, isHarmless: isOurs }
}
