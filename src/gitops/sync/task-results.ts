import { fieldsOf, objectsOf, textOf } from '../fields.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { OperationPhase, ResourceResult } from '../application/application.ts'
import { resultKey } from './make-tasks.ts'
import { objectOf, type SyncTask, taskKey } from './sync-task.ts'

/** What became of a task. An empty message keeps the one before. */
export interface TaskUpdate {
  readonly task: SyncTask
  readonly status?: ResourceResult['status']
  readonly state?: OperationPhase
  readonly message?: string
}

/** The results with what has been learnt; those that are known keep their place, so that order says what came first. */
export function withUpdates(
  results: readonly ResourceResult[],
  updates: readonly TaskUpdate[],
): readonly ResourceResult[] {
  if (updates.length === 0) return results
  const places = new Map(results.map((result, index) => [resultKey(result), index]))
  const next = [...results]
  let isChanged = false
  for (const update of updates) {
    const key = taskKey(update.task)
    const at = places.get(key)
    const before = at === undefined ? undefined : next[at]
    const after = resultOf(update, before)
    if (before && isSame(before, after)) continue
    isChanged = true
    if (at === undefined) {
      places.set(key, next.length)
      next.push(after)
    } else next[at] = after
  }
  return isChanged ? next : results
}

const isSame = (a: ResourceResult, b: ResourceResult): boolean =>
  a.status === b.status && a.hookPhase === b.hookPhase && a.message === b.message

function resultOf({ task, status, state, message }: TaskUpdate, before: ResourceResult | undefined): ResourceResult {
  const kept = message === undefined || message === '' ? (before?.message ?? task.message) : message
  const now = status ?? before?.status ?? task.status
  const images = before?.images ?? imagesOf(objectOf(task))
  return {
    group: task.key.group,
    version: task.version,
    kind: task.key.kind,
    namespace: task.key.namespace,
    name: task.key.name,
    syncPhase: task.phase,
    ...(now === undefined ? {} : { status: now }),
    ...(kept === undefined ? {} : { message: kept }),
    ...(task.isHook ? { hookType: task.phase } : {}),
    ...(state === undefined ? {} : { hookPhase: state }),
    ...(images && images.length > 0 ? { images } : {}),
  }
}

/** The images that a Pod, or what makes Pods, runs. */
export function imagesOf(object: KubeObject | undefined): readonly string[] {
  if (!object) return []
  const spec = fieldsOf(object, 'spec')
  const templates = [
    ...(object.kind === 'Pod' ? [spec] : []),
    fieldsOf(fieldsOf(spec, 'template'), 'spec'),
    fieldsOf(fieldsOf(fieldsOf(fieldsOf(spec, 'jobTemplate'), 'spec'), 'template'), 'spec'),
  ]
  const images = templates.flatMap((template) =>
    [...(objectsOf(template, 'containers') ?? []), ...(objectsOf(template, 'initContainers') ?? [])].flatMap(
      (container) => textOf(container, 'image') || [],
    ),
  )
  return [...new Set(images)]
}
