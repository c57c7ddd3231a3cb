import type { Client, Target } from '../../kube/client.ts'
import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, objectsOf, textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { redactText } from './redact.ts'
import type { Trace } from './trace.ts'

/** What became of an object that a trigger made or changed. */
export interface Outcome {
  readonly trigger: string
  readonly object: string
  /** As the object is now: `Workflow Succeeded`, `Synced, Healthy; Sync Succeeded`, `is gone`. */
  readonly now: string
}

const MOST = 20

/** Looks at what the triggers of a trace made, as it is now. */
export async function outcomesOf(trace: Trace, client: Client): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { step, trigger = '', values } of trace.steps) {
    const target = step === 'fired' ? targetIn(values?.['object']) : undefined
    if (!target || outcomes.length >= MOST) continue
    const found = await client.get(target)
    const named = `${target.kind} ${target.namespace === undefined ? '' : `${target.namespace}/`}${target.name}`
    outcomes.push({
      trigger,
      object: named,
      now: found.ok ? stateOf(found.value) : found.error.reason === 'NotFound' ? 'is gone' : found.error.message,
    })
  }
  return outcomes
}

/** An object as a trace names it. */
export const namedIn = ({
  resource,
  namespace,
  name,
  kind,
}: Target & { readonly kind: string }): Readonly<Record<string, string>> => ({
  group: resource.group,
  version: resource.version,
  plural: resource.plural,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
})

function targetIn(value: unknown): (Target & { readonly kind: string }) | undefined {
  if (!isObject(value)) return undefined
  const [group, version, plural] = [textOf(value, 'group'), textOf(value, 'version'), textOf(value, 'plural')]
  const name = textOf(value, 'name')
  const namespace = textOf(value, 'namespace')
  if (plural === '' || name === '') return undefined
  return {
    resource: { group, version, plural },
    name,
    kind: textOf(value, 'kind'),
    ...(namespace === '' ? {} : { namespace }),
  }
}

/** How an object stands, in the words of its kind. */
export function stateOf(object: KubeObject): string {
  const status = fieldsOf(object, 'status')
  if (object.kind === 'Application') {
    const sync = textOf(fieldsOf(status, 'sync'), 'status') || 'Unknown'
    const health = textOf(fieldsOf(status, 'health'), 'status') || 'Unknown'
    const operation = fieldsOf(status, 'operationState')
    const phase = textOf(operation, 'phase')
    const message = textOf(operation, 'message')
    return `${sync}, ${health}${phase === '' ? '' : `; operation ${phase}${message === '' ? '' : `: ${redactText(message)}`}`}`
  }
  const phase = textOf(status, 'phase')
  const message = textOf(status, 'message')
  if (phase !== '') return message === '' ? phase : `${phase}: ${redactText(message)}`
  const conditions = (objectsOf(status, 'conditions') ?? []) as unknown as readonly Condition[] // only texts of them are read
  const ready = conditions.find(({ type }) => type === 'Ready' || type === 'Complete' || type === 'Failed')
  if (ready)
    return `${ready.type} is ${ready.status}${textOf(ready, 'message') === '' ? '' : `: ${redactText(textOf(ready, 'message'))}`}`
  return object.metadata.deletionTimestamp === undefined ? 'is there' : 'is being deleted'
}
