import type { ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { applyParameters } from '../parameters/apply.ts'
import type { FireContext, ResolvedTrigger, TriggerTemplate } from '../sensor/trigger.ts'
import type { TriggerAction } from './action.ts'
import { type ObjectWish, objectAction, objectWish } from './object-action.ts'
import type { ReadObjects } from './key-of.ts'
import { refusedBy } from './refusal.ts'
import { applicationAction, checkApplication } from './application-action.ts'
import { checkRequest, requestAction } from './request-action.ts'
import { checkSlack, slackAction } from './slack.ts'
import { objectOf, readSource, sourceForm, type SourcePorts } from './source.ts'
import { asJson, invalid, isSupported, parametersAt, sectionOf, unsupported } from './template.ts'
import { workflowAction, workflowWish } from './workflow-action.ts'
import { rightTo } from './write-object.ts'

/** What is looked up before it is known what a trigger does. */
export interface PreparePorts extends SourcePorts {
  /** The collection of a kind; undefined where the cluster does not serve it. */
  readonly find: (apiVersion: string, kind: string) => Promise<ResourceInfo | undefined>
  /** The cluster as the trigger's ServiceAccount sees it; undefined offline. */
  readonly asAccount: (trigger: ResolvedTrigger) => ReadObjects | undefined
  readonly now: () => number
}

type Fields = Readonly<Record<string, unknown>>

/** What is wrong with a template whatever the event; `at` is a path in the template. */
export function checkTemplate(kind: string, template: TriggerTemplate): readonly Problem[] {
  if (!isSupported(kind)) return [unsupported(kind)]
  const section = sectionOf(template, kind)
  if (!section.ok) return section.error
  switch (kind) {
    case 'k8s':
      return [...problemsOf(objectWish(section.value)), ...checkSource(section.value, kind)]
    case 'argoWorkflow':
      return [...problemsOf(workflowWish(section.value)), ...checkSource(section.value, kind)]
    case 'argoCD':
      return checkApplication(section.value)
    case 'http':
      return checkRequest(section.value)
    case 'slack':
      return checkSlack(section.value)
    case 'log':
      return []
    default:
      return kind satisfies never
  }
}

const problemsOf = (result: Result<unknown>): readonly Problem[] => (result.ok ? [] : result.error)

function checkSource(section: Fields, at: string): readonly Problem[] {
  const parameters = problemsOf(parametersAt(section, 'parameters', at))
  const form = sourceForm(section['source'], `${at}.source`)
  if (!form.ok) return [...parameters, ...form.error]
  const source = section['source'] as Fields // sourceForm saw an object
  return form.value === 'resource'
    ? [...parameters, ...problemsOf(objectOf(source['resource'], `${at}.source.resource`))]
    : parameters
}

/** What a trigger is about to do with these events, complete but for the values of Secrets; nothing is changed by asking. */
export async function prepare(
  trigger: ResolvedTrigger,
  context: FireContext,
  ports: PreparePorts,
): Promise<Result<TriggerAction>> {
  const { kind, template } = trigger
  if (!isSupported(kind)) return fail(unsupported(kind))
  const section = sectionOf(template, kind)
  if (!section.ok) return section
  switch (kind) {
    case 'k8s':
      return prepareObject(section.value, trigger, context, ports)
    case 'argoWorkflow':
      return prepareWorkflow(section.value, trigger, context, ports)
    case 'argoCD':
    case 'http':
    case 'slack': {
      const filled = filledSection(section.value, kind, context)
      if (!filled.ok) return filled
      if (kind === 'argoCD') return applicationAction(filled.value)
      return kind === 'http' ? requestAction(filled.value, context) : slackAction(filled.value)
    }
    case 'log': {
      const seconds = Number(section.value['intervalSeconds'] ?? 0)
      return succeed({ do: 'log', intervalMs: seconds > 0 ? seconds * 1_000 : 0 })
    }
    default:
      return kind satisfies never
  }
}

/** A section with the values of its own parameters in it. */
function filledSection(section: Fields, kind: string, { events, fill }: FireContext): Result<Fields> {
  const parameters = parametersAt(section, 'parameters', kind)
  if (!parameters.ok) return parameters
  const filled = applyParameters(asJson(section), parameters.value, events, fill)
  return filled.ok ? sectionOf({ name: '', [kind]: filled.value }, kind) : filled
}

async function filledObject(
  object: KubeObject,
  section: Fields,
  kind: string,
  { events, fill }: FireContext,
): Promise<Result<KubeObject>> {
  const parameters = parametersAt(section, 'parameters', kind)
  if (!parameters.ok) return parameters
  const filled = applyParameters(asJson(object), parameters.value, events, fill)
  return filled.ok ? objectOf(filled.value, `${kind}.source`) : filled
}

async function prepareObject(
  section: Fields,
  trigger: ResolvedTrigger,
  context: FireContext,
  ports: PreparePorts,
): Promise<Result<TriggerAction>> {
  const wish = objectWish(section)
  if (!wish.ok) return wish
  const source = await readSource(section['source'], 'k8s.source', trigger.sensor.namespace, ports)
  if (!source.ok) return source
  const base = wish.value.isLive ? await liveOf(source.value, trigger, ports) : source
  if (!base.ok) return base
  const object = await filledObject(base.value, section, 'k8s', context)
  if (!object.ok) return object
  const resource = await servedAs(object.value, ports)
  return resource.ok
    ? objectAction(wish.value, object.value, resource.value, makerOf(trigger, context, ports))
    : resource
}

const makerOf = (
  { sensor, template }: ResolvedTrigger,
  { fireId }: FireContext,
  { now }: PreparePorts,
): Parameters<typeof objectAction>[3] => ({ sensor, trigger: template.name, fireId, nowMs: now() })

async function servedAs({ apiVersion, kind }: KubeObject, { find }: PreparePorts): Promise<Result<ResourceInfo>> {
  const found = await find(apiVersion, kind)
  if (found) return succeed(found)
  const cure = 'install its CustomResourceDefinition, or mend apiVersion and kind of the source'
  return fail({ code: 'trigger-kind-unknown', message: `the cluster serves no ${kind} of ${apiVersion}`, cure })
}

/** The object as it is in the cluster now, for parameters to be put into. */
async function liveOf(object: KubeObject, trigger: ResolvedTrigger, ports: PreparePorts): Promise<Result<KubeObject>> {
  const { name = '', namespace = '' } = object.metadata
  const resource = await servedAs(object, ports)
  if (!resource.ok) return resource
  if (name === '' || (resource.value.namespaced && namespace === ''))
    return fail(
      invalid(
        'k8s.source',
        `a live ${object.kind} is found by its ${name === '' ? 'name' : 'namespace'}, which is missing`,
      ),
    )
  const client = ports.asAccount(trigger)
  if (!client) return succeed(object)
  const { group, version, plural } = resource.value
  const target = { resource: { group, version, plural }, name, ...(resource.value.namespaced ? { namespace } : {}) }
  const found = await client.get(target)
  return found.ok ? found : fail(refusedBy(found.error, trigger, rightTo('get', target)))
}

async function prepareWorkflow(
  section: Fields,
  trigger: ResolvedTrigger,
  context: FireContext,
  ports: PreparePorts,
): Promise<Result<TriggerAction>> {
  const wish = workflowWish(section)
  if (!wish.ok) return wish
  const source = await readSource(section['source'], 'argoWorkflow.source', trigger.sensor.namespace, ports)
  if (!source.ok) return source
  const object = await filledObject(source.value, section, 'argoWorkflow', context)
  return object.ok ? workflowAction(wish.value, object.value, trigger.sensor.namespace) : object
}

export type { ObjectWish }
