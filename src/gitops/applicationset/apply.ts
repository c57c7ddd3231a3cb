import type { Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ApiResult, Status } from '../../kube/status.ts'
import type { Json } from '../../lib/json.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, retry, type Turn } from '../../runtime/work-queue.ts'
import { ApplicationKind } from '../application/application.ts'
import { type ApplicationSet, ApplicationSetKind, REFRESH_ANNOTATION } from './application-set.ts'
import { errorConditions, healthOf, nextConditions } from './conditions.ts'
import type { DeletionPlan } from './deletion.ts'
import { type Action, isSameStatus, type Plan } from './plan.ts'
import type { ApplicationSetPorts } from './ports.ts'

const MANAGER = 'applicationset-controller'

const applicationAt = (namespace: string, name: string): Target => ({ resource: ApplicationKind, namespace, name })

const setAt = (set: ApplicationSet): Target => ({
  resource: ApplicationSetKind,
  namespace: set.namespace,
  name: set.name,
})

const words = { create: 'Created', change: 'Updated', delete: 'Deleted' } as const

/** Writes what is planned: Applications one by one, then the status. A refusal of one does not keep the others waiting. */
export async function applyPlan(
  plan: Plan,
  set: ApplicationSet,
  ports: ApplicationSetPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const refusals: { readonly action: Action; readonly status: Status }[] = []
  let last: KubeObject | undefined
  for (const action of plan.actions) {
    if (signal.aborted) return retry('stopped in the middle of a turn')
    log.info('changing an application', { do: action.do, application: action.name, because: action.because })
    const answer = await carryOut(action, set, ports)
    if (answer.ok) {
      last = newer(last, answer.value)
      const message = `${words[action.do]} Application ${JSON.stringify(action.name)}`
      ports.events.note(set.object, { type: 'Normal', reason: words[action.do], message })
    } else if (answer.error.reason !== 'NotFound') refusals.push({ action, status: answer.error })
  }
  if (last) await ports.caches.applications.caughtUp(last, signal)
  const [refusal] = refusals
  if (refusal) {
    await writeRefusal(refusal.action, refusal.status, set, ports)
    return retryAfter(refusal.status)
  }
  const written = await writeStatus(set, plan.status, ports, signal)
  if (written) return retryAfter(written)
  if (plan.removesRefresh) {
    const body = { metadata: { annotations: { [REFRESH_ANNOTATION]: null } } }
    const patched = await ports.client.patch(setAt(set), { type: 'merge', body }, { fieldManager: MANAGER })
    if (!patched.ok && patched.error.reason !== 'NotFound') return retryAfter(patched.error)
  }
  return plan.againAfterMs === undefined ? done : again(plan.againAfterMs, 'the generators are asked again')
}

/** The later of two, by version. */
function newer(a: KubeObject | undefined, b: KubeObject): KubeObject {
  return Number(a?.metadata.resourceVersion ?? 0) > Number(b.metadata.resourceVersion ?? 0) && a ? a : b
}

async function carryOut(
  action: Action,
  set: ApplicationSet,
  { client }: ApplicationSetPorts,
): Promise<ApiResult<KubeObject>> {
  const target = applicationAt(set.namespace, action.name)
  switch (action.do) {
    case 'create':
      return client.create({ resource: ApplicationKind, namespace: set.namespace }, action.application, {
        fieldManager: MANAGER,
      })
    case 'change':
      return client.patch(target, { type: 'merge', body: action.patch as Json }, { fieldManager: MANAGER })
    case 'delete': {
      if (action.finalizers) {
        const body = { metadata: { uid: action.uid, finalizers: action.finalizers } }
        const patched = await client.patch(target, { type: 'merge', body }, { fieldManager: MANAGER })
        if (!patched.ok) return patched
      }
      const gone = await client.delete(target, { preconditions: { uid: action.uid } })
      // What a deletion answers is of no interest but for its version.
      return gone.ok ? { ok: true, value: gone.value as KubeObject } : gone
    }
  }
}

async function writeStatus(
  set: ApplicationSet,
  status: Readonly<Record<string, unknown>>,
  { client, caches }: ApplicationSetPorts,
  signal: AbortSignal,
): Promise<Status | undefined> {
  if (isSameStatus(set.object['status'], status)) return undefined
  const written = await client.update({ ...setAt(set), subresource: 'status' }, { ...set.object, status })
  if (written.ok) await caches.applicationSets.caughtUp(written.value, signal)
  return written.ok || written.error.reason === 'NotFound' ? undefined : written.error
}

const reasons = {
  create: 'CreateApplicationError',
  change: 'UpdateApplicationError',
  delete: 'DeleteApplicationError',
} as const

async function writeRefusal(
  action: Action,
  refusal: Status,
  set: ApplicationSet,
  ports: ApplicationSetPorts,
): Promise<void> {
  if (refusal.reason === 'Conflict') return
  await reportFailure(set, reasons[action.do], refusal.message, ports)
}

/** Tells in the status that something is wrong; what else the status says stays. */
export async function reportFailure(
  set: Pick<ApplicationSet, 'object' | 'namespace' | 'name' | 'strategy'>,
  reason: string,
  message: string,
  ports: ApplicationSetPorts,
): Promise<void> {
  const before = (set.object['status'] ?? {}) as { readonly conditions?: Parameters<typeof nextConditions>[0] } // as its schema says
  const conditions = nextConditions(before.conditions ?? [], errorConditions(reason, message, true), {
    isRolling: set.strategy.isRolling,
    nowMs: ports.clock.now(),
  })
  const status = { ...before, conditions, health: healthOf(conditions) }
  if (isSameStatus(before, status)) return
  const target = { resource: ApplicationSetKind, namespace: set.namespace, name: set.name, subresource: 'status' }
  await ports.client.update(target, { ...set.object, status })
}

/** Does what the deletion of an ApplicationSet asks for. */
export async function applyDeletion(
  plan: DeletionPlan,
  set: ApplicationSet,
  ports: ApplicationSetPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches } = ports
  log.debug('an application set is being deleted', { do: plan.do, because: plan.because })
  switch (plan.do) {
    case 'wait':
      return done
    case 'delete-one': {
      const { name = '', uid } = plan.application.metadata
      const options = uid === undefined ? {} : { preconditions: { uid } }
      const gone = await client.delete(applicationAt(set.namespace, name), options)
      return gone.ok || gone.error.reason === 'NotFound' ? done : retryAfter(gone.error)
    }
    case 'release': {
      for (const application of plan.applications) {
        const kept = (application.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== set.metadata.uid)
        const body = { metadata: { ownerReferences: kept.map((owner) => ({ ...owner })) } }
        const target = applicationAt(set.namespace, application.metadata.name ?? '')
        const patched = await client.patch(target, { type: 'merge', body: body as unknown as Json })
        if (!patched.ok && patched.error.reason !== 'NotFound') return retryAfter(patched.error)
        if (patched.ok) await caches.applications.caughtUp(patched.value, signal)
      }
      return again(0, 'the Applications live on by themselves')
    }
    case 'finish': {
      const finalizers = (set.metadata.finalizers ?? []).filter((name) => name !== FINALIZER)
      if (finalizers.length === (set.metadata.finalizers ?? []).length) return done
      const patched = await client.patch(setAt(set), { type: 'merge', body: { metadata: { finalizers } } })
      return patched.ok || patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
    }
  }
}

/** Keeps an ApplicationSet until its Applications are dealt with. */
export const FINALIZER = 'resources-finalizer.argocd.argoproj.io'

/** Makes an ApplicationSet wait for its deletion to be handled. */
export async function addFinalizer(set: ApplicationSet, { client }: ApplicationSetPorts): Promise<Turn> {
  const finalizers = [...(set.metadata.finalizers ?? []), FINALIZER]
  const patched = await client.patch(setAt(set), { type: 'merge', body: { metadata: { finalizers } } })
  return patched.ok ? done : retryAfter(patched.error)
}
