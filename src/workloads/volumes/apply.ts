import type { KubeObject } from '../../kube/object.ts'
import type { ApiResult, Status } from '../../kube/status.ts'
import { isEqual } from '../../lib/json.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import { PersistentVolume, PersistentVolumeClaim } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { type StatusPlace, targetOf, writeStatus } from '../pods/write.ts'
import type { ObservedClaim, ObservedVolume } from './observe.ts'
import type { ClaimPlan, VolumePlan } from './plan.ts'
import { volumeStatusOf } from './volumes.ts'

/** Writes what was decided about a claim, in the order in which it can be taken up again after a crash. */
export async function applyClaim(
  plan: ClaimPlan,
  { claim, volumes }: ObservedClaim,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches, events } = ports
  const claims = { client, kind: PersistentVolumeClaim, informer: caches.claims, signal }
  switch (plan.do) {
    case 'report': {
      const refused = await writeStatus(claims, claim, plan.status)
      if (plan.note) events.note(claim, plan.note)
      return refused ? retryAfter(refused) : done
    }
    case 'change': {
      const written = await put(claims, claim, plan.claim)
      if (!written.ok) return ended(written.error)
      if (plan.note) events.note(claim, plan.note)
      return done
    }
    case 'provision':
      return provision(plan, claim, ports, { log, signal })
    case 'bind':
      return bind(plan, { claim, volumes }, ports, signal)
  }
}

async function provision(
  plan: Extract<ClaimPlan, { do: 'provision' }>,
  claim: KubeObject,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches, events } = ports
  const claims = { client, kind: PersistentVolumeClaim, informer: caches.claims, signal }
  log.info('making a volume', { because: plan.because })
  const marked = await put(claims, claim, plan.claim)
  if (!marked.ok) return ended(marked.error)
  const made = await client.create({ resource: PersistentVolume }, plan.volume)
  if (!made.ok && made.error.reason !== 'AlreadyExists') {
    const message = `failed to provision volume: ${made.error.message}`
    events.note(claim, { type: 'Warning', reason: 'ProvisioningFailed', message })
    return retryAfter(made.error)
  }
  if (made.ok) await caches.volumes.caughtUp(made.value, signal)
  const name = plan.volume.metadata.name ?? ''
  const message = `Successfully provisioned volume ${name}`
  events.note(claim, { type: 'Normal', reason: 'ProvisioningSucceeded', message })
  return done
}

async function bind(
  plan: Extract<ClaimPlan, { do: 'bind' }>,
  { claim, volumes }: Pick<ObservedClaim, 'claim' | 'volumes'>,
  ports: WorkloadPorts,
  signal: AbortSignal,
): Promise<Turn> {
  const { client, caches, events } = ports
  const claims = { client, kind: PersistentVolumeClaim, informer: caches.claims, signal }
  const before = volumes.find(({ metadata }) => metadata.name === plan.volume.metadata.name) ?? plan.volume
  const place = { client, kind: PersistentVolume, informer: caches.volumes, signal }
  const volume = await put(place, before, plan.volume)
  if (!volume.ok) return ended(volume.error)
  const isTold = volumeStatusOf(volume.value).phase === 'Bound'
  const unsaid = isTold
    ? undefined
    : await writeStatus(place, volume.value, { ...volumeStatusOf(volume.value), phase: 'Bound' })
  if (unsaid) return retryAfter(unsaid)
  const bound = await put(claims, claim, plan.claim)
  if (!bound.ok) return ended(bound.error)
  const refused = await writeStatus(claims, bound.value, plan.status)
  if (plan.note) events.note(claim, plan.note)
  return refused ? retryAfter(refused) : done
}

/** Writes what was decided about a volume. */
export async function applyVolume(
  plan: VolumePlan,
  { volume }: ObservedVolume,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches, events } = ports
  const place = { client, kind: PersistentVolume, informer: caches.volumes, signal }
  if (plan.do === 'free') {
    log.info('freeing a volume', { because: plan.because })
    const written = await put(place, volume, plan.volume)
    if (written.ok && plan.note) events.note(volume, plan.note)
    return written.ok ? done : ended(written.error)
  }
  const refused = await writeStatus(place, volume, plan.status)
  if (refused) return retryAfter(refused)
  if (plan.do === 'report') {
    if (plan.note) events.note(volume, plan.note)
    return done
  }
  if (volume.metadata.deletionTimestamp !== undefined) return done
  log.info('removing a volume', { because: plan.because })
  const { uid } = volume.metadata
  const gone = await client.delete(targetOf(PersistentVolume, volume), uid ? { preconditions: { uid } } : {})
  return gone.ok ? done : ended(gone.error)
}

const ended = (status: Status): Turn => (status.reason === 'NotFound' ? done : retryAfter(status))

/** Writes an object where it differs, and waits until the cache has seen it. */
async function put(
  { client, kind, informer, signal }: StatusPlace,
  before: KubeObject,
  next: KubeObject,
): Promise<ApiResult<KubeObject>> {
  if (isEqual(before.metadata, next.metadata) && isEqual(before['spec'], next['spec']))
    return { ok: true, value: before }
  const written = await client.update(targetOf(kind, before), next)
  if (written.ok) await informer.caughtUp(written.value, signal)
  return written
}
