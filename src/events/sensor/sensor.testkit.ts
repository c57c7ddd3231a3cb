import type { KubeObject } from '../../kube/object.ts'
import { sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import { fail, succeed } from '../../lib/result.ts'
import type { LoggedEvent } from '../bus/record.ts'
import type { SensorEvent } from '../event.ts'
import { templateChecker, templateFiller } from '../template.ts'
import { compileSensor, type CompiledSensor, type SensorWorld } from './compile-sensor.ts'

const functions = sprigFunctions({ clock: movableClock(), ids: seededIds(), certificates: certificateMaker })

const kinds = ['log', 'http', 'k8s', 'argoWorkflow', 'slack']

/** A world in which triggers are of the usual kinds and nothing is wrong with any of them. */
export const testWorld: SensorWorld = {
  fill: templateFiller(functions),
  template: templateChecker(functions),
  checks: {
    check: () => [],
    kindOf(template) {
      const [kind, other] = kinds.filter((one) => template[one] !== undefined)
      if (kind !== undefined && other === undefined) return succeed(kind)
      return fail({ code: 'trigger-invalid', message: kind === undefined ? 'nothing to do' : 'two things to do' })
    },
  },
}

/** A Sensor in namespace `team-a`, with dependencies `a` and `b` on the events of those names of `web` and a trigger that logs. */
export function testSensor(spec: object = {}, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Sensor',
    metadata: { namespace: 'team-a', name: 'reacts', uid: 'uid-1', generation: 1, ...metadata },
    spec: {
      dependencies: ['a', 'b'].map((name) => ({ name, eventSourceName: 'web', eventName: name })),
      triggers: [{ template: { name: 'tell', log: {} } }],
      ...spec,
    },
  }
}

/** The same, compiled. */
export function compiledTestSensor(spec: object = {}, metadata: object = {}): CompiledSensor {
  const reading = compileSensor(testSensor(spec, metadata), testWorld)
  if (!reading.compiled) throw new Error(JSON.stringify([reading.dependencies, reading.triggers]))
  return reading.compiled
}

/** An event of `web` with an id and data. */
export const testEvent = (eventName: string, id: string, data: unknown = {}): SensorEvent => ({
  context: { id, source: 'web', subject: eventName, type: 'webhook', datacontenttype: 'application/json' },
  data: JSON.stringify(data),
})

/** The same, on the log. */
export const loggedTestEvent = (
  eventName: string,
  seq: number,
  data: unknown = {},
  acceptedMs: number = Date.UTC(2026, 0, 1),
): LoggedEvent => ({
  is: 'event',
  seq,
  acceptedMs,
  eventSourceName: 'web',
  eventName,
  event: testEvent(eventName, `e${seq}`, data),
})
