import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { Controller } from '../../runtime/controller.ts'
import type { EventRecorder } from '../../runtime/event-recorder.ts'
import type { Informers } from '../../runtime/informers.ts'
import { again, done, retry, type Turn } from '../../runtime/work-queue.ts'
import { updateRequestKind } from '../catalog/policy-kinds.ts'
import { KYVERNO_NAMESPACE } from '../settings/policy-settings.ts'
import { readUpdateRequest, updateRequestOf, type Work } from './update-request.ts'
import { type Done, doWork, type WorkerPorts } from './worker.ts'

export interface RequestPorts {
  /** Where UpdateRequests are kept. */
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  readonly worker: WorkerPorts
  readonly generateEvents: EventRecorder
  readonly mutateEvents: EventRecorder
  /** Hears what came of the work, for reports. */
  readonly worked: (done: Done) => void
}

/** The last one comes about five seconds after the first: roles and sources may only just have been made. */
const ATTEMPTS = 6
/** More than that wait nowhere: a policy that sets itself off must not fill the store. */
const MOST_WAITING = 1_000
/** So long, and so many, failed requests are kept. */
const FAILED_MS = 60 * 60 * 1_000
const MOST_FAILED = 200
const collection = { resource: updateRequestKind, namespace: KYVERNO_NAMESPACE }

/** Writes work down as an UpdateRequest; what is written survives a restart. */
export async function submitWork(
  work: Work,
  { client, informers, log }: Pick<RequestPorts, 'client' | 'informers' | 'log'>,
): Promise<void> {
  const { cache } = informers.shared({ collection: { resource: updateRequestKind } })
  const fields = { policy: work.policy.name, trigger: work.trigger.name }
  if (cache.size >= MOST_WAITING) {
    log.warn('too many UpdateRequests wait, so one is not written', fields)
    return
  }
  try {
    const made = await client.create(collection, updateRequestOf(work))
    if (!made.ok) log.warn('an UpdateRequest cannot be written', { ...fields, because: made.error.message })
  } catch (error) {
    log.error('an UpdateRequest cannot be written', error, fields)
  }
}

/** Does what UpdateRequests ask for, and removes them when it is done. */
export function requestController(ports: RequestPorts): Controller {
  const { client, informers, clock, worker } = ports
  const informer = informers.shared({ collection: { resource: updateRequestKind } })
  const attempts = new Map<string, number>()
  return {
    name: 'update-requests',
    watches: [{ informer }],
    concurrency: 2,
    retryDelay: { firstMs: 150, longestMs: 5_000 },
    async reconcile(key, { signal }) {
      const object = informer.cache.get(key)
      const work = object && readUpdateRequest(object)
      if (!object || !work) {
        attempts.delete(key)
        return done
      }
      if (stateOf(object) === 'Failed') return forget(object)
      const count = (attempts.get(key) ?? 0) + 1
      const outcome = await doWork(work, worker, signal, count).catch((error: unknown): Done => ({
        failures: [describeError(error)],
        made: [],
      }))
      if (outcome.isEarly === true && count < ATTEMPTS) {
        attempts.set(key, count)
        return { do: 'retry', because: 'the trigger is not stored yet', quietly: true }
      }
      if (outcome.failures.length > 0 && count < ATTEMPTS) {
        attempts.set(key, count)
        return retry(outcome.failures.join('; '))
      }
      attempts.delete(key)
      ports.worked(outcome)
      tell(work, outcome, ports)
      return outcome.failures.length > 0 ? giveUp(object, outcome, count) : remove(object)
    },
  }

  async function remove(object: KubeObject): Promise<Turn> {
    const gone = await client.delete({ ...collection, name: object.metadata.name ?? '' })
    return gone.ok || gone.error.reason === 'NotFound' ? done : retry(gone.error.message)
  }

  /** A failure is there to be seen for an hour. */
  async function forget(object: KubeObject): Promise<Turn> {
    const endMs = Date.parse(object.metadata.creationTimestamp ?? '') + FAILED_MS
    const leftMs = endMs - clock.now()
    return leftMs > 0 ? again(leftMs, 'a failed request is kept for a while') : remove(object)
  }

  /** A request that failed stays for a while where everybody can see it. */
  async function giveUp(object: KubeObject, { failures }: Done, retryCount: number): Promise<Turn> {
    const failed = informer.cache.list().filter((one) => stateOf(one) === 'Failed')
    if (failed.length >= MOST_FAILED) return remove(object)
    const status = { state: 'Failed', message: failures.join('; ').slice(0, 4_000), retryCount }
    const target = { ...collection, name: object.metadata.name ?? '', subresource: 'status' }
    const written = await client.update(target, { ...object, status })
    return written.ok || written.error.reason === 'NotFound' ? done : retry(written.error.message)
  }
}

const stateOf = ({ status }: KubeObject): string | undefined =>
  (status as { readonly state?: string } | undefined)?.state

function tell({ type, policy }: Work, { failures, made, policy: compiled }: Done, ports: RequestPorts): void {
  if (!compiled) return
  const recorder = type === 'generate' ? ports.generateEvents : ports.mutateEvents
  if (failures.length > 0) {
    const message = `policy ${policy.name} error: ${failures.join('; ')}`
    recorder.note(compiled.source, { type: 'Warning', reason: 'PolicyError', message })
    return
  }
  for (const object of made) {
    const message = type === 'generate' ? 'resource generated' : 'resource mutated'
    recorder.note(compiled.source, { type: 'Normal', reason: 'PolicyApplied', message })
    if (type === 'generate') {
      const told = `Created ${object.kind} ${object.metadata.name ?? ''} as a result of applying policy ${policy.name}`
      recorder.note(object, { type: 'Normal', reason: 'PolicyApplied', message: told })
    }
  }
}
