import type { AdmissionPlugin } from '../../kube/admission.ts'
import { isEqual } from '../../lib/json.ts'
import { failure } from '../../kube/status.ts'
import { EventSourceKind } from './event-source.ts'
import { judgeEventSource } from './validate.ts'

/** Refuses EventSources that could never work, naming the field, and warns of what is accepted and not done. */
export const eventSourceAdmission: AdmissionPlugin = {
  name: 'event-sources',
  handles: ({ kind, operation, subresource }) =>
    kind.group === EventSourceKind.group &&
    kind.kind === EventSourceKind.kind &&
    subresource === undefined &&
    (operation === 'CREATE' || operation === 'UPDATE'),
  validate({ object, oldObject, name }) {
    // What is there already may be labelled, and let go.
    if (!object || (oldObject && isEqual(object['spec'], oldObject['spec']))) return Promise.resolve({ allowed: true })
    const { problems, warnings } = judgeEventSource(object)
    if (problems.length === 0) return Promise.resolve({ allowed: true, warnings })
    const causes = problems.map(({ at = 'spec', message }) => ({ reason: 'FieldValueInvalid', field: at, message }))
    const text = causes.map(({ field, message }) => `${field}: ${message}`).join('; ')
    const message = `EventSource.${EventSourceKind.group} ${JSON.stringify(name)} is invalid: ${text}`
    const details = { name, group: EventSourceKind.group, kind: EventSourceKind.kind, causes }
    return Promise.resolve({ allowed: false, status: failure('Invalid', message, details), warnings })
  },
}
