import type { KubeObject } from '../../kube/object.ts'
import type { EventNote, EventRecorder } from '../../runtime/event-recorder.ts'
import { apiVersionOf } from '../../kube/gvk.ts'
import { type PolicyRequest, subjectOf } from '../engine/policy-request.ts'
import type { PolicyResponse, RuleResponse } from '../engine/rule-response.ts'

/** An Event and what it is about. */
export interface VerdictEvent extends EventNote {
  readonly about: KubeObject
}

/** Where policies and exceptions are found, to be what an Event is about. */
export interface EventSubjects {
  readonly policy: (response: PolicyResponse) => KubeObject | undefined
  readonly exception: (key: string) => KubeObject | undefined
}

export interface EventChoice {
  readonly isDenied: boolean
  readonly tellsSuccess: boolean
}

/** The Events of what policies said of a resource: on the policy, and on the resource unless it was refused. */
export function verdictEvents(
  request: PolicyRequest,
  responses: readonly PolicyResponse[],
  subjects: EventSubjects,
  { isDenied, tellsSuccess }: EventChoice,
): readonly VerdictEvent[] {
  const resource = subjectOf(request)
  if (!resource || (resource.metadata.name ?? request.name) === '') return []
  const about: KubeObject = {
    ...resource,
    apiVersion: resource.apiVersion || apiVersionOf(request.kind),
    kind: resource.kind || request.kind.kind,
    metadata: { ...resource.metadata, name: resource.metadata.name ?? request.name },
  }
  return responses.flatMap((response) => {
    const policy = subjects.policy(response)
    if (!policy || response.rules.length === 0) return []
    const failed = response.rules.filter(({ verdict }) => verdict === 'fail' || verdict === 'error')
    if (failed.length > 0) return failed.flatMap((rule) => violationEvents(about, policy, rule, isDenied))
    if (response.rules.every(({ verdict }) => verdict === 'skip')) {
      return isDenied ? [] : response.rules.flatMap((rule) => exceptionEvents(about, policy, rule, subjects))
    }
    if (!tellsSuccess) return []
    const isMutation = response.rules.every(({ ruleType }) => ruleType === 'Mutation')
    const message = isMutation ? `${describe(about)} is successfully mutated` : `${describe(about)}: pass`
    return [{ about: policy, type: 'Normal', reason: 'PolicyApplied', message }]
  })
}

const describe = ({ kind, metadata: { namespace, name } }: KubeObject): string =>
  namespace ? `${kind} ${namespace}/${name ?? ''}` : `${kind} ${name ?? ''}`

function violationEvents(
  resource: KubeObject,
  policy: KubeObject,
  { rule, verdict, message }: RuleResponse,
  isDenied: boolean,
): readonly VerdictEvent[] {
  const name = rule === '' ? '' : `[${rule}] `
  const told = `${describe(resource)}: ${name}${verdict}${isDenied ? ' (blocked)' : ''}${message === '' ? '' : `; ${message}`}`
  const onPolicy: VerdictEvent = { about: policy, type: 'Warning', reason: 'PolicyViolation', message: told }
  if (isDenied) return [onPolicy]
  const onResource = `policy ${policy.metadata.name ?? ''}/${rule} ${verdict}: ${message}`
  return [onPolicy, { about: resource, type: 'Warning', reason: 'PolicyViolation', message: onResource }]
}

function exceptionEvents(
  resource: KubeObject,
  policy: KubeObject,
  { rule, exceptions = [] }: RuleResponse,
  subjects: EventSubjects,
): readonly VerdictEvent[] {
  if (exceptions.length === 0) return []
  const place = [resource.metadata.namespace, resource.metadata.name].filter(Boolean).join('/')
  const where = [policy.metadata.namespace, policy.metadata.name, rule].filter(Boolean).join('/')
  const onExceptions = exceptions.flatMap((key): readonly VerdictEvent[] => {
    const about = subjects.exception(key)
    const message = `resource ${place} was skipped from policy rule ${where}`
    return about ? [{ about, type: 'Normal', reason: 'PolicySkipped', message }] : []
  })
  const message = `resource ${place} was skipped from rule ${rule} due to policy exceptions ${exceptions.join(', ')}`
  return [...onExceptions, { about: policy, type: 'Normal', reason: 'PolicySkipped', message }]
}

/** Hands Events to the recorder that writes them. */
export function tell(recorder: EventRecorder, events: readonly VerdictEvent[]): void {
  for (const { about, ...note } of events) recorder.note(about, note)
}
