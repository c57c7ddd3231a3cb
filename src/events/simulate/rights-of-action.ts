import type { Right } from '../sensor/trigger.ts'
import { applicationRights } from '../triggers/rights.ts'
import type { TriggerAction, WorkflowAction } from '../triggers/action.ts'

/** The rights that an action needs, by the names that it has now; what it would create where nothing is there is not among them. */
export function rightsOfAction(action: TriggerAction): readonly Right[] {
  switch (action.do) {
    case 'request':
    case 'slack':
    case 'log':
      return []
    case 'workflow':
      return workflowRights(action)
    case 'application':
      return applicationRights({
        application: action.name,
        namespace: action.namespace,
        unlessViolated: action.unlessViolated,
      })
    default: {
      const { group, plural } = action.resource
      const { name = '', namespace } = action.object.metadata
      const verbs = action.do === 'create' ? ['create'] : ['get', action.do]
      return verbs.map((verb) => ({
        verb,
        group,
        resource: plural,
        ...(verb === 'create' ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
      }))
    }
  }
}

function workflowRights({ operation, object, namespace }: WorkflowAction): readonly Right[] {
  const { name = '' } = object.metadata
  const on = (verb: string, resource: string): Right => ({ verb, group: 'argoproj.io', resource, name, namespace })
  const submit: Right = { verb: 'create', group: 'argoproj.io', resource: 'workflows', namespace }
  if (operation === 'submit') return [submit]
  if (operation === 'submit-from')
    return object.kind.toLowerCase() === 'cronworkflow' ? [on('get', 'cronworkflows'), submit] : [submit]
  if (operation === 'resubmit') return [on('get', 'workflows'), submit]
  const change = [on('get', 'workflows'), on('update', 'workflows')]
  return operation === 'retry' ? [...change, { verb: 'delete', group: '', resource: 'pods', namespace }] : change
}
