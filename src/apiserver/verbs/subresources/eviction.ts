import { type Condition, isTrue, setCondition } from '../../../kube/condition.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { compileSelector, matchesLabels } from '../../../kube/selector.ts'
import { type ApiResult, failure, refuse, type Status } from '../../../kube/status.ts'
import { formatTime } from '../../../kube/time.ts'
import { isObject } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import type { Kernel } from '../../kernel.ts'
import { notFound } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, refused, type RequestOptions } from '../../request.ts'
import type { ServedResource } from '../../resources/resource.ts'
import { collectionPrefix, keyOf, prefixOf } from '../../storage/keys.ts'
import { withRevision } from '../../storage/stamp.ts'
import { Warnings } from '../body.ts'
import { deleteObject } from '../delete.ts'

/** Deletes a Pod if its disruption budget has room, and takes the room. */
export async function eviction(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const { storage } = resource
  const name = request.name ?? ''
  const entry = storage && kernel.store.get(keyOf(storage.prefix, request.namespace, name))
  if (!entry) return refused(notFound(resource, name))
  const options = optionsOf(request)
  const isCounted = entry.value.metadata.deletionTimestamp === undefined && !isOver(entry.value)
  if (isCounted) {
    const allowed = await takeRoom(kernel, entry.value, options.dryRun ?? false)
    if (!allowed.ok) return refused(allowed.error)
  }
  if (options.dryRun !== true) await sayWhy(kernel, keyOf(storage?.prefix ?? '', request.namespace, name))
  const { subresource: _eviction, ...rest } = request
  const deleted = await deleteObject({
    kernel,
    resource,
    request: { ...rest, verb: 'delete', options },
    warnings: new Warnings(),
  })
  return refused(deleted.ok ? created : deleted.error)
}

const created = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as unknown as Status // a success has no reason

function optionsOf({ body, options }: ApiRequest): RequestOptions {
  const wanted = isObject(body) && isObject(body['deleteOptions']) ? body['deleteOptions'] : {}
  const { gracePeriodSeconds, dryRun, preconditions } = wanted
  return {
    ...(options.dryRun || (Array.isArray(dryRun) && dryRun.includes('All')) ? { dryRun: true } : {}),
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(isObject(preconditions) ? { preconditions } : {}),
  }
}

/** Pods that do not run are no disruption. */
function isOver({ status }: KubeObject): boolean {
  const phase = isObject(status) ? status['phase'] : undefined
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || phase === undefined
}

const ATTEMPTS = 10

const because: Condition = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
}

/** Leaves on the Pod why it goes, for whoever looks at it while it still does. */
async function sayWhy(kernel: Kernel, key: string): Promise<void> {
  const entry = kernel.store.get(key)
  if (!entry) return
  const status = isObject(entry.value['status']) ? entry.value['status'] : {}
  const conditions = setCondition(conditionsOf(status), because, kernel.clock.now())
  const next: KubeObject = { ...entry.value, status: { ...status, conditions } }
  // Where somebody else was faster the deletion counts, not the note.
  await kernel.store.put(key, (revision) => withRevision(next, revision), { revision: entry.revision })
}

const conditionsOf = (status: Readonly<Record<string, unknown>>): readonly Condition[] =>
  Array.isArray(status['conditions']) ? (status['conditions'] as readonly Condition[]) : [] // the API server has checked them

/** A Pod that does not serve anyway may go where its budget says so, or where enough others serve. */
function needsNoRoom(pod: KubeObject, budget: KubeObject, status: Readonly<Record<string, unknown>>): boolean {
  if (isTrue(conditionsOf(isObject(pod['status']) ? pod['status'] : {}), 'Ready')) return false
  const spec = isObject(budget['spec']) ? budget['spec'] : {}
  const { currentHealthy, desiredHealthy } = status
  if (spec['unhealthyPodEvictionPolicy'] === 'AlwaysAllow') return true
  return Number(desiredHealthy ?? 0) > 0 && Number(currentHealthy ?? 0) >= Number(desiredHealthy)
}

async function takeRoom(kernel: Kernel, pod: KubeObject, isDryRun: boolean): Promise<ApiResult<undefined>> {
  const prefix = prefixOf('policy', 'poddisruptionbudgets')
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const range = kernel.store.range(collectionPrefix(prefix, pod.metadata.namespace))
    const budgets = range.ok ? range.entries.filter(({ value }) => protects(value, pod)) : []
    const [budget, ...others] = budgets
    if (!budget) return succeed(undefined)
    if (others.length > 0) {
      return refuse(
        'InternalError',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      )
    }
    const status = isObject(budget.value['status']) ? budget.value['status'] : {}
    if (needsNoRoom(pod, budget.value, status)) return succeed(undefined)
    if (Number(status['observedGeneration'] ?? 0) < (budget.value.metadata.generation ?? 0))
      return { ok: false, error: unread(budget.value) }
    const room = typeof status['disruptionsAllowed'] === 'number' ? status['disruptionsAllowed'] : 0
    if (room <= 0) return { ok: false, error: noRoom(budget.value, status) }
    if (isDryRun) return succeed(undefined)
    const disrupted = isObject(status['disruptedPods']) ? status['disruptedPods'] : {}
    const next: KubeObject = {
      ...budget.value,
      status: {
        ...status,
        disruptionsAllowed: room - 1,
        disruptedPods: { ...disrupted, [pod.metadata.name ?? '']: formatTime(kernel.clock.now()) },
      },
    }
    const written = await kernel.store.put(budget.key, (revision) => withRevision(next, revision), {
      revision: budget.revision,
    })
    if (written.ok) return succeed(undefined)
  }
  return refuse('TooManyRequests', 'the disruption budget changes too fast: try again', { retryAfterSeconds: 1 })
}

function protects(budget: KubeObject, pod: KubeObject): boolean {
  const spec = isObject(budget['spec']) ? budget['spec'] : {}
  if (!isObject(spec['selector'])) return false
  const selector = compileSelector(spec['selector'])
  return selector.ok && matchesLabels(selector.value, pod.metadata.labels)
}

function unread(budget: KubeObject): Status {
  const message = `The disruption budget ${budget.metadata.name ?? ''} is still being processed by the server.`
  return failure('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    retryAfterSeconds: 10,
    causes: [{ reason: 'DisruptionBudget', message }],
  })
}

function noRoom(budget: KubeObject, status: Readonly<Record<string, unknown>>): Status {
  const text = (value: unknown): string => (typeof value === 'number' ? String(value) : '0')
  return failure('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [
      {
        reason: 'DisruptionBudget',
        message: `The disruption budget ${budget.metadata.name ?? ''} needs ${text(status['desiredHealthy'])} healthy pods and has ${text(status['currentHealthy'])} currently`,
      },
    ],
  })
}
