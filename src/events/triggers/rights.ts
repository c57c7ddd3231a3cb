import type { ResourceInfo } from '../../kube/client.ts'
import { fieldsOf, textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import type { ResolvedTrigger, Right } from '../sensor/trigger.ts'
import { objectWish } from './object-action.ts'
import { sourceForm } from './source.ts'
import { parametersAt, sectionOf } from './template.ts'
import { workflowWish } from './workflow-action.ts'

type Find = (apiVersion: string, kind: string) => Promise<ResourceInfo | undefined>

/** The verbs that an operation uses on its object; what it creates only where nothing is there is not asked for. */
const verbsOf: Readonly<Record<string, readonly string[]>> = {
  create: ['create'],
  update: ['get', 'update'],
  patch: ['get', 'patch'],
  delete: ['get', 'delete'],
}

/**
 * What the ServiceAccount of a trigger has to be allowed, as far as its spec tells: a name or a namespace that comes from an event is
 * not known, and then the right is asked for all names, or not at all.
 */
export async function rightsOf(trigger: ResolvedTrigger, find: Find): Promise<readonly Right[]> {
  const { kind, template, sensor } = trigger
  if (kind !== 'k8s' && kind !== 'argoWorkflow' && kind !== 'argoCD') return []
  const section = sectionOf(template, kind)
  if (!section.ok) return []
  return kind === 'argoCD'
    ? applicationRights(section.value)
    : objectRights(section.value, kind, sensor.namespace, find)
}

async function objectRights(
  section: Readonly<Record<string, unknown>>,
  kind: 'k8s' | 'argoWorkflow',
  sensorNamespace: string,
  find: Find,
): Promise<readonly Right[]> {
  const form = sourceForm(section['source'], 'source')
  // What a ConfigMap or a URL holds is only known when it is read.
  if (!form.ok || form.value !== 'resource')
    return kind === 'argoWorkflow' && form.ok ? submitting(sensorNamespace) : []
  const object = fieldsOf(section['source'], 'resource')
  const metadata = fieldsOf(object, 'metadata')
  const parameters = parametersAt(section, 'parameters', kind)
  const filled = new Set(parameters.ok ? parameters.value.map(({ dest }) => dest) : [])
  const known = (path: string): boolean => ![...filled].some((dest) => dest === path || path.startsWith(`${dest}.`))
  if (!known('metadata.namespace') || !known('kind') || !known('apiVersion')) return []
  const namespace = textOf(metadata, 'namespace') || sensorNamespace
  const name = known('metadata.name') ? textOf(metadata, 'name') : ''
  if (kind === 'argoWorkflow') return workflowRights(section, { kind: textOf(object, 'kind'), namespace, name })
  const wish = objectWish(section)
  if (!wish.ok || !isObject(section['source'])) return []
  const served = await find(textOf(object, 'apiVersion'), textOf(object, 'kind'))
  if (!served) return []
  return (verbsOf[wish.value.verb] ?? []).map((verb) => ({
    verb,
    group: served.group,
    resource: served.plural,
    ...(name === '' || verb === 'create' ? {} : { name }),
    ...(served.namespaced ? { namespace } : {}),
  }))
}

/** What an argoCD section needs; the Application may only be known when an event has come. */
export function applicationRights(section: Readonly<Record<string, unknown>>): readonly Right[] {
  const parameters = parametersAt(section, 'parameters', 'argoCD')
  const filled = new Set(parameters.ok ? parameters.value.map(({ dest }) => dest) : [])
  const name = filled.has('application') ? '' : textOf(section, 'application')
  const namespace = textOf(section, 'namespace') || 'argocd'
  const on = (verb: string): Right => ({
    verb,
    group: 'argoproj.io',
    resource: 'applications',
    ...(name === '' ? {} : { name }),
    namespace,
  })
  const change = filled.has('namespace') ? [] : [on('get'), on('patch')]
  return section['unlessViolated'] === true ? [...change, ...reading] : change
}

const reading: readonly Right[] = [
  { verb: 'list', group: 'wgpolicyk8s.io', resource: 'policyreports' },
  { verb: 'list', group: 'kyverno.io', resource: 'clusterpolicies' },
  { verb: 'list', group: 'policies.kyverno.io', resource: 'validatingpolicies' },
]

const submitting = (namespace: string): readonly Right[] => [
  { verb: 'create', group: 'argoproj.io', resource: 'workflows', namespace },
]

function workflowRights(
  section: Readonly<Record<string, unknown>>,
  { kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string },
): readonly Right[] {
  const wish = workflowWish(section)
  if (!wish.ok) return []
  const { operation } = wish.value
  const on = (verb: string, resource: string): Right => ({
    verb,
    group: 'argoproj.io',
    resource,
    ...(name === '' || verb === 'create' ? {} : { name }),
    namespace,
  })
  switch (operation) {
    case 'submit':
      return submitting(namespace)
    case 'submit-from':
      return kind.toLowerCase() === 'cronworkflow'
        ? [on('get', 'cronworkflows'), ...submitting(namespace)]
        : submitting(namespace)
    case 'resubmit':
      return [on('get', 'workflows'), ...submitting(namespace)]
    case 'retry':
      return [
        on('get', 'workflows'),
        on('update', 'workflows'),
        { verb: 'delete', group: '', resource: 'pods', namespace },
      ]
    case 'resume':
    case 'suspend':
    case 'terminate':
    case 'stop':
      return [on('get', 'workflows'), on('update', 'workflows')]
    default:
      return operation satisfies never
  }
}
