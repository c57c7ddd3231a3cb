import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, objectsOf, textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Submission } from './action.ts'

/*
 * What the argo command line does to Workflows, as functions over objects (argo-workflows v4.1.2, workflow/util/util.go and
 * workflow/common/convert.go).
 */

type Fields = Readonly<Record<string, unknown>>

const API_VERSION = 'argoproj.io/v1alpha1'
const LABEL = 'workflows.argoproj.io/'
const COMPLETED = `${LABEL}completed`
const ended: readonly string[] = ['Succeeded', 'Failed', 'Error']

const specOf = (object: KubeObject): Fields => fieldsOf(object, 'spec')
const refuse = (message: string): Result<never> => fail({ code: 'trigger-refused', message })

/** Tells whether a Workflow has come to its end. */
export const isEnded = (workflow: KubeObject): boolean => ended.includes(textOf(fieldsOf(workflow, 'status'), 'phase'))

/** A Workflow with what the arguments of its submission say. */
export function submitted(workflow: KubeObject, submission: Submission): KubeObject {
  const { name, generateName, entrypoint, serviceAccount, priority, labels, annotations, parameters } = submission
  const { metadata } = workflow
  return {
    ...workflow,
    metadata: {
      ...metadata,
      ...(generateName === undefined ? {} : { generateName }),
      ...(name === undefined ? {} : { name }),
      ...(labels.size === 0 ? {} : { labels: { ...metadata.labels, ...Object.fromEntries(labels) } }),
      ...(annotations.size === 0
        ? {}
        : { annotations: { ...metadata.annotations, ...Object.fromEntries(annotations) } }),
    },
    spec: withParameters(
      {
        ...specOf(workflow),
        ...(entrypoint === undefined ? {} : { entrypoint }),
        ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
        ...(priority === undefined ? {} : { priority }),
      },
      parameters,
    ),
  }
}

/** The arguments that are passed come first, then those of the spec that are not passed. */
function withParameters(spec: Fields, parameters: ReadonlyMap<string, string>): Fields {
  if (parameters.size === 0) return spec
  const given = fieldsOf(spec, 'arguments')
  const kept = (objectsOf(given, 'parameters') ?? []).filter((one) => !parameters.has(textOf(one, 'name')))
  const passed = [...parameters].map(([name, value]) => ({ name, value }))
  return { ...spec, arguments: { ...given, parameters: [...passed, ...kept] } }
}

/** The Workflow that a CronWorkflow, as it is in the cluster, would begin at a time. */
export function fromCronWorkflow(cron: KubeObject, nowIso: string): KubeObject {
  const { name = '', namespace, uid, labels = {} } = cron.metadata
  const spec = specOf(cron)
  const made = fieldsOf(spec, 'workflowMetadata')
  const instance = labels[`${LABEL}controller-instanceid`]
  const finalizers = made['finalizers']
  return {
    apiVersion: cron.apiVersion,
    kind: 'Workflow',
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      generateName: `${name}-`,
      labels: {
        ...(instance === undefined ? {} : { [`${LABEL}controller-instanceid`]: instance }),
        [`${LABEL}cron-workflow`]: name,
        ...textsIn(made['labels']),
      },
      annotations: { [`${LABEL}scheduled-time`]: nowIso, ...textsIn(made['annotations']) },
      ...(Array.isArray(finalizers) ? { finalizers: finalizers as readonly string[] } : {}),
      ownerReferences: [
        {
          apiVersion: API_VERSION,
          kind: 'CronWorkflow',
          name,
          uid: uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: fieldsOf(spec, 'workflowSpec'),
  }
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** The Workflow that refers to a WorkflowTemplate, or to one of the whole cluster. */
export function fromWorkflowTemplate(name: string, namespace: string, isOfCluster: boolean): KubeObject {
  const label = isOfCluster ? 'cluster-workflow-template' : 'workflow-template'
  return {
    apiVersion: API_VERSION,
    kind: 'Workflow',
    metadata: { namespace, generateName: `${name}-`, labels: { [LABEL + label]: name } },
    spec: { workflowTemplateRef: { name, ...(isOfCluster ? { clusterScope: true } : {}) } },
  }
}

const dropped = [
  'creator',
  'creator-email',
  'creator-preferred-username',
  'phase',
  'completed',
  'workflow-archiving-status',
]

/** A new Workflow that does what another one did. */
export function resubmitted(workflow: KubeObject, parameters: ReadonlyMap<string, string>): KubeObject {
  const { name = '', generateName, namespace, labels = {}, annotations, ownerReferences } = workflow.metadata
  const carried = Object.entries(labels).filter(([key]) => !dropped.some((label) => key === LABEL + label))
  return {
    apiVersion: workflow.apiVersion,
    kind: workflow.kind,
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      generateName: generateName ?? `${name}-`,
      labels: { ...Object.fromEntries(carried), [`${LABEL}resubmitted-from-workflow`]: name },
      ...(annotations === undefined ? {} : { annotations }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
    spec: withParameters(unstopped(specOf(workflow)), parameters),
  }
}

/** A spec whose Workflow was neither stopped nor terminated. */
function unstopped(spec: Fields): Fields {
  const { shutdown: _, activeDeadlineSeconds, ...rest } = spec
  return activeDeadlineSeconds === undefined || activeDeadlineSeconds === 0 ? rest : { ...rest, activeDeadlineSeconds }
}

/** A Workflow that goes on: not suspended, and what waits in it is let through. */
export function resumed(workflow: KubeObject, nowIso: string): KubeObject {
  const { suspend: _, ...spec } = specOf(workflow)
  const status = fieldsOf(workflow, 'status')
  const nodes = Object.entries(fieldsOf(status, 'nodes')).map(([id, node]) => {
    const waits = textOf(node, 'type') === 'Suspend' && textOf(node, 'phase') === 'Running'
    return [id, waits && isObject(node) ? { ...node, phase: 'Succeeded', finishedAt: nowIso } : node] as const
  })
  const next = nodes.length === 0 ? status : { ...status, nodes: Object.fromEntries(nodes) }
  return { ...workflow, spec, ...(Object.keys(next).length === 0 ? {} : { status: next }) }
}

/** A Workflow that waits before its next step. */
export function suspended(workflow: KubeObject): Result<KubeObject> {
  if (isEnded(workflow)) return refuse('a Workflow that has ended cannot be suspended')
  return succeed({ ...workflow, spec: { ...specOf(workflow), suspend: true } })
}

/** A Workflow that ends: at once, or after its exit handlers. */
export function shutDown(workflow: KubeObject, how: 'Stop' | 'Terminate'): Result<KubeObject> {
  if (isEnded(workflow)) return refuse('a Workflow that has ended cannot be shut down')
  return succeed({ ...workflow, spec: { ...specOf(workflow), shutdown: how } })
}

/** A Workflow that does again what failed, and the Pods that have to go for it. */
export interface Retried {
  readonly workflow: KubeObject
  readonly pods: readonly string[]
}

const groups: readonly string[] = ['DAG', 'Steps', 'StepGroup', 'TaskGroup', 'Retry']
const kept: readonly string[] = ['Succeeded', 'Skipped']

/** What failed is begun again, what succeeded is kept; steps of exit handlers are forgotten. */
export function retried(
  workflow: KubeObject,
  parameters: ReadonlyMap<string, string>,
  nowIso: string,
): Result<Retried> {
  const status = fieldsOf(workflow, 'status')
  const phase = textOf(status, 'phase')
  if (phase !== 'Failed' && phase !== 'Error')
    return refuse(`only a Workflow that failed can be retried; this one is ${phase === '' ? 'not begun' : phase}`)
  const { name = '', labels = {} } = workflow.metadata
  const again = new Map<string, unknown>()
  const pods: string[] = []
  for (const [id, node] of Object.entries(fieldsOf(status, 'nodes'))) {
    const isOfExit = textOf(node, 'name').startsWith(`${name}.onExit`)
    if (!isOfExit && kept.includes(textOf(node, 'phase'))) again.set(id, node)
    else if (!isOfExit && groups.includes(textOf(node, 'type')) && isObject(node))
      again.set(id, { ...node, phase: 'Running', message: '', startedAt: nowIso, finishedAt: null })
    else if (textOf(node, 'type') === 'Pod') pods.push(podNameOf(name, node))
  }
  const nodes = [...again].map(([id, node]) => [id, withoutGone(node, again)] as const)
  const left = Object.entries(labels).filter(
    ([key]) => key !== COMPLETED && key !== `${LABEL}workflow-archiving-status`,
  )
  const { message: _, finishedAt: __, phase: ___, ...rest } = status
  const conditions = (objectsOf(status, 'conditions') ?? []).filter((one) => textOf(one, 'type') !== 'Completed')
  return succeed({
    pods,
    workflow: {
      ...workflow,
      metadata: { ...workflow.metadata, labels: Object.fromEntries(left) },
      spec: withParameters(unstopped(specOf(workflow)), parameters),
      status: {
        ...rest,
        phase: '',
        startedAt: nowIso,
        finishedAt: null,
        conditions: [...conditions, { type: 'Completed', status: 'False' }],
        nodes: Object.fromEntries(nodes),
      },
    },
  })
}

function withoutGone(node: unknown, again: ReadonlyMap<string, unknown>): unknown {
  if (!isObject(node)) return node
  const lists = (['children', 'outboundNodes'] as const).flatMap((field) => {
    const ids = node[field]
    return Array.isArray(ids) ? [[field, ids.filter((id) => typeof id === 'string' && again.has(id))] as const] : []
  })
  return { ...node, ...Object.fromEntries(lists) }
}

const LONGEST_PREFIX = 253 - 10 - 1

/** The name of a step's Pod, as Argo Workflows makes it (second version: with the name of the template). */
function podNameOf(workflow: string, node: unknown): string {
  const name = textOf(node, 'name')
  if (name === workflow) return workflow
  const template = textOf(fieldsOf(node, 'templateRef'), 'template') || textOf(node, 'templateName')
  const prefix = (template === '' ? workflow : `${workflow}-${template}`).slice(0, LONGEST_PREFIX)
  return `${prefix}-${fnv1a(name)}`
}

/** FNV-1a with 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}
