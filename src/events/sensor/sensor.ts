import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, textOf } from '../../lib/fields.ts'
import { isObject, own } from '../../lib/json.ts'
import type { EventFilter } from '../filter/filter-event.ts'
import type { TriggerParameter } from '../parameters/apply.ts'
import { checkShape, type Shape, type ShapeReport } from './shape.ts'

/** Argo Events' Sensor. */
export const SensorKind: Kind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Sensor',
  plural: 'sensors',
  scope: 'Namespaced',
}

/** Changes the data of an event before it is filtered. */
export interface Transform {
  readonly jq?: string
  readonly script?: string
}

/** Events that a Sensor waits for. */
export interface Dependency {
  readonly name: string
  readonly eventSourceName: string
  readonly eventName: string
  readonly filters?: EventFilter
  readonly filtersLogicalOperator?: string
  readonly transform?: Transform
}

/** How often and how long something is tried. */
export interface Backoff {
  readonly duration?: string | number
  readonly factor?: string | number
  readonly jitter?: string | number
  readonly steps?: number
}

/** What has to be so after firing for it to count. */
export interface TriggerPolicy {
  readonly k8s?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly backoff?: Backoff
    readonly errorOnBackoffTimeout?: boolean
  }
  readonly status?: { readonly allow?: readonly number[] }
}

/** How often a trigger may fire. */
export interface RateLimit {
  readonly unit?: string
  readonly requestsPerUnit?: number
}

/** When events that are held are let go. */
export interface ConditionsReset {
  readonly byTime?: { readonly cron?: string; readonly timezone?: string }
}

/** What a Sensor does, and when. */
export interface SensorTrigger {
  readonly template?: {
    readonly name?: string
    readonly conditions?: string
    readonly conditionsReset?: readonly ConditionsReset[]
    readonly [kind: string]: unknown
  }
  readonly parameters?: readonly TriggerParameter[]
  readonly policy?: TriggerPolicy
  readonly retryStrategy?: Backoff
  readonly rateLimit?: RateLimit
  readonly atLeastOnce?: boolean
  readonly dlqTrigger?: SensorTrigger
}

/** The fields of a Sensor that are read. */
export interface Sensor extends KubeObject {
  readonly spec: {
    readonly dependencies?: readonly Dependency[]
    readonly triggers?: readonly SensorTrigger[]
    readonly template?: { readonly serviceAccountName?: string }
    readonly errorOnFailedRound?: boolean
    readonly eventBusName?: string
    readonly loggingFields?: Readonly<Record<string, string>>
  }
}

const backoff: Shape = { fields: { duration: 'amount', factor: 'amount', jitter: 'amount', steps: 'number' } }

const filters: Shape = {
  fields: {
    time: { fields: { start: 'text', stop: 'text', timezone: 'text' } },
    context: {
      fields: {
        id: 'text',
        source: 'text',
        specversion: 'text',
        type: 'text',
        datacontenttype: 'text',
        subject: 'text',
        time: 'text',
      },
    },
    data: {
      list: {
        fields: { path: 'text', type: 'text', value: { list: 'text' }, comparator: 'text', template: 'text' },
      },
    },
    exprs: { list: { fields: { expr: 'text', fields: { list: { fields: { path: 'text', name: 'text' } } } } } },
    dataLogicalOperator: 'text',
    exprLogicalOperator: 'text',
    script: 'text',
  },
}

/** What a parameter looks like, of a trigger or of what it sends. */
export const parameterShape: Shape = {
  fields: {
    src: {
      fields: {
        dependencyName: 'text',
        contextKey: 'text',
        contextTemplate: 'text',
        dataKey: 'text',
        dataTemplate: 'text',
        value: 'text',
        useRawData: 'flag',
      },
    },
    dest: 'text',
    operation: 'text',
  },
}

const trigger: Shape = {
  fields: {
    template: {
      // What a kind of trigger needs is for whoever carries it out to check.
      open: true,
      fields: {
        name: 'text',
        conditions: 'text',
        conditionsReset: { list: { fields: { byTime: { fields: { cron: 'text', timezone: 'text' } } } } },
      },
    },
    parameters: { list: parameterShape },
    policy: {
      fields: {
        k8s: { fields: { labels: { map: 'text' }, backoff, errorOnBackoffTimeout: 'flag' } },
        status: { fields: { allow: { list: 'number' } } },
      },
    },
    retryStrategy: backoff,
    rateLimit: { fields: { unit: 'text', requestsPerUnit: 'number' } },
    atLeastOnce: 'flag',
    dlqTrigger: () => trigger,
  },
}

const spec: Shape = {
  fields: {
    dependencies: {
      list: {
        fields: {
          name: 'text',
          eventSourceName: 'text',
          eventName: 'text',
          filters,
          filtersLogicalOperator: 'text',
          transform: { fields: { jq: 'text', script: 'text' } },
        },
      },
    },
    triggers: { list: trigger },
    template: { open: true, fields: { serviceAccountName: 'text' } },
    errorOnFailedRound: 'flag',
    eventBusName: 'text',
    replicas: 'number',
    revisionHistoryLimit: 'number',
    loggingFields: { map: 'text' },
  },
}

/** Reads a Sensor: what is not as it must be, and otherwise the Sensor with its absent and null fields left out. */
export function readSensor(object: KubeObject): ShapeReport & { readonly sensor: Sensor | undefined } {
  const given = object['spec']
  const report = isObject(given)
    ? checkShape(given, spec, 'spec')
    : { problems: [{ code: 'sensor-invalid', at: 'spec', message: 'spec must be an object' }], unknown: [] }
  if (report.problems.length > 0) return { ...report, sensor: undefined }
  // The shape has been compared just now; Go's null is our absent, and so is its empty text.
  const read = withoutNulls(given) as Sensor['spec']
  const dependencies = (read.dependencies ?? []).map((dependency) => ({ ...unnamed, ...dependency }))
  return { ...report, sensor: { ...object, spec: { ...read, dependencies } } }
}

const unnamed = { name: '', eventSourceName: '', eventName: '' }

/** Leaves nulls out at every level that is read; what triggers send keeps its own. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls).filter((item) => item !== null && item !== undefined)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  return Object.fromEntries(
    kept.map(([key, item]) => [key, key === 'template' || key === 'src' ? item : withoutNulls(item)]),
  )
}

/** The bus that a Sensor listens to. */
export const busNameOf = (sensor: KubeObject): string => textOf(sensor['spec'], 'eventBusName') || 'default'

/** The ServiceAccount in whose name its triggers fire. */
export const serviceAccountOf = (sensor: KubeObject): string =>
  textOf(fieldsOf(sensor['spec'], 'template'), 'serviceAccountName') || 'default'

/** An annotation of a Sensor. */
export function annotationOf({ metadata }: KubeObject, name: string): string | undefined {
  return own(metadata.annotations ?? {}, name)
}
