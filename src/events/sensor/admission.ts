import type { AdmissionPlugin } from '../../kube/admission.ts'
import { failure } from '../../kube/status.ts'
import { isEqual } from '../../lib/json.ts'
import { EventBusKind } from '../bus/event-bus.ts'
import { readBusSettings } from '../bus/bus-settings.ts'
import type { Problem } from '../../lib/result.ts'
import { compileSensor, HEARTBEAT, type SensorWorld } from './compile-sensor.ts'
import { annotationOf, SensorKind } from './sensor.ts'

interface Judged {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/** Refuses Sensors with anything that cannot be compiled, and EventBuses that cannot be read, naming every field. */
export function sensorAdmission(world: SensorWorld): AdmissionPlugin {
  return {
    name: 'sensors',
    handles: ({ kind, operation, subresource }) =>
      kind.group === SensorKind.group &&
      (kind.kind === SensorKind.kind || kind.kind === EventBusKind.kind) &&
      subresource === undefined &&
      (operation === 'CREATE' || operation === 'UPDATE'),
    validate({ object, oldObject, name, kind }) {
      // What is there already may be labelled, and let go.
      const isSame =
        object &&
        oldObject &&
        isEqual(object['spec'], oldObject['spec']) &&
        annotationOf(object, HEARTBEAT) === annotationOf(oldObject, HEARTBEAT)
      if (!object || isSame === true) return Promise.resolve({ allowed: true })
      const { problems, warnings } = kind.kind === SensorKind.kind ? judgeSensor() : judgeBus()
      if (problems.length === 0) return Promise.resolve({ allowed: true, warnings })
      const causes = problems.map(({ at = 'spec', message }) => ({ reason: 'FieldValueInvalid', field: at, message }))
      const text = causes.map(({ field, message }) => `${field}: ${message}`).join('; ')
      const message = `${kind.kind}.${kind.group} ${JSON.stringify(name)} is invalid: ${text}`
      const details = { name, group: kind.group, kind: kind.kind, causes }
      return Promise.resolve({ allowed: false, status: failure('Invalid', message, details), warnings })

      function judgeSensor(): Judged {
        const { dependencies, triggers, warnings: told } = compileSensor(object ?? ({} as never), world)
        return { problems: [...dependencies, ...triggers], warnings: told }
      }
      function judgeBus(): Judged {
        const read = readBusSettings(object?.['spec'])
        return { problems: read.ok ? [] : read.error, warnings: [] }
      }
    },
  }
}
