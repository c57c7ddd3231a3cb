import type { Target } from '../../kube/client.ts'
import type { ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import type { ApiResult, Status } from '../../kube/status.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Fired } from '../sensor/trigger.ts'
import type { WorkflowAction } from './action.ts'
import { type Maker, marked } from './object-action.ts'
import { refusedBy } from './refusal.ts'
import {
  fromCronWorkflow,
  fromWorkflowTemplate,
  resubmitted,
  resumed,
  retried,
  type Retried,
  shutDown,
  submitted,
  suspended,
} from './workflow-objects.ts'
import { calledAs, created, firedAt, rightTo, type Writing } from './write-object.ts'

const GROUP = 'argoproj.io'
const VERSION = 'v1alpha1'
const resource = (plural: string): ResourceId => ({ group: GROUP, version: VERSION, plural })

const workflows: ResourceInfo = {
  ...resource('workflows'),
  kind: 'Workflow',
  singular: 'workflow',
  namespaced: true,
  verbs: [],
  shortNames: [],
  categories: [],
}

const MOST_CONFLICTS = 5

/** What running a Workflow action takes. */
export interface Running extends Writing {
  readonly maker: Maker
}

/** Says what an operation needs to read first, and the object that a submission starts from. */
export function originOf({ operation, object, namespace }: WorkflowAction): Target | undefined {
  const name = object.metadata.name ?? ''
  if (operation === 'submit') return undefined
  if (operation !== 'submit-from') return { resource: resource('workflows'), namespace, name }
  return object.kind.toLowerCase() === 'cronworkflow'
    ? { resource: resource('cronworkflows'), namespace, name }
    : undefined
}

/** The Workflow that an operation would create, given what it is made from; undefined for operations that change one. */
export function workflowToCreate(
  action: WorkflowAction,
  origin: KubeObject | undefined,
  maker: Maker,
): KubeObject | undefined {
  const { operation, object, namespace, submission } = action
  const nowIso = new Date(maker.nowMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const named = (workflow: KubeObject): KubeObject =>
    marked({ ...workflow, metadata: { ...workflow.metadata, namespace } }, maker)
  switch (operation) {
    case 'submit':
      return named(submitted(object, submission))
    case 'submit-from': {
      const kind = object.kind.toLowerCase()
      const base =
        kind === 'cronworkflow'
          ? fromCronWorkflow(origin ?? object, nowIso)
          : fromWorkflowTemplate(object.metadata.name ?? '', namespace, kind === 'clusterworkflowtemplate')
      return named(submitted(base, submission))
    }
    case 'resubmit':
      return named(resubmitted(origin ?? object, submission.parameters))
    default:
      return undefined
  }
}

/** Does to Workflows what the argo command does; submitting twice for one firing makes one Workflow. */
export async function runWorkflow(action: WorkflowAction, running: Running): Promise<Result<Fired>> {
  const origin = originOf(action)
  const isCreation = ['submit', 'submit-from', 'resubmit'].includes(action.operation)
  if (!isCreation) return changed(action, running)
  const found = origin ? await running.client.get(origin, { signal: running.signal }) : undefined
  if (found && !found.ok) return refused(found.error, 'get', origin, running)
  const object = workflowToCreate(action, found?.value, running.maker)
  if (!object) throw new Error(`the operation ${action.operation} creates nothing`)
  return created({ do: 'create', object, resource: workflows, patchType: 'merge' }, running)
}

function refused(status: Status, verb: string, target: Target | undefined, { trigger }: Writing): Result<never> {
  return fail(refusedBy(status, trigger, rightTo(verb, target ?? { resource: resource('workflows') })))
}

async function changed(action: WorkflowAction, running: Running): Promise<Result<Fired>> {
  const { client, signal, maker } = running
  const target: Target = {
    resource: resource('workflows'),
    namespace: action.namespace,
    name: action.object.metadata.name ?? '',
  }
  let written: ApiResult<KubeObject> | undefined
  for (let turn = 0; turn < MOST_CONFLICTS; turn++) {
    const found = await client.get(target, { signal })
    if (!found.ok) return refused(found.error, 'get', target, running)
    const next = nextOf(action, found.value, maker)
    if (!next.ok) return next
    for (const name of next.value.pods) {
      const pod: Target = { resource: { group: '', version: 'v1', plural: 'pods' }, namespace: action.namespace, name }
      const gone = await client.delete(pod, { signal, propagationPolicy: 'Background' })
      if (!gone.ok && gone.error.reason !== 'NotFound') return refused(gone.error, 'delete', pod, running)
    }
    written = await client.update(target, next.value.workflow, { fieldManager: 'argo-events', signal })
    if (written.ok) {
      const because = `${pastOf[action.operation] ?? action.operation} ${calledAs(written.value)}`
      return firedAt(because, { ...target, kind: 'Workflow' })
    }
    if (written.error.reason !== 'Conflict') break
  }
  if (!written || written.ok) throw new Error('nothing was tried')
  return refused(written.error, 'update', target, running)
}

const pastOf: Readonly<Record<string, string>> = {
  resume: 'resumed',
  retry: 'began again',
  suspend: 'suspended',
  terminate: 'terminated',
  stop: 'stopped',
}

function nextOf({ operation, submission }: WorkflowAction, workflow: KubeObject, { nowMs }: Maker): Result<Retried> {
  const nowIso = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const alone = (result: Result<KubeObject>): Result<Retried> =>
    result.ok ? succeed({ workflow: result.value, pods: [] }) : result
  switch (operation) {
    case 'resume':
      return succeed({ workflow: resumed(workflow, nowIso), pods: [] })
    case 'suspend':
      return alone(suspended(workflow))
    case 'terminate':
      return alone(shutDown(workflow, 'Terminate'))
    case 'stop':
      return alone(shutDown(workflow, 'Stop'))
    case 'retry':
      return retried(workflow, submission.parameters, nowIso)
    default:
      throw new Error(`the operation ${operation} changes no Workflow`)
  }
}
