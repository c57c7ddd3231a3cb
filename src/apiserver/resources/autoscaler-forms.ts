import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Where autoscaling/v1 keeps what it has no fields for. */
const ANNOTATIONS = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  current: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const

const isCpu = (metric: Fields): boolean =>
  metric['type'] === 'Resource' && fieldsOf(metric['resource'])['name'] === 'cpu'

function without(fields: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

const given = (name: string, value: unknown): Fields => (value === undefined ? {} : { [name]: value })

/** An autoscaler of autoscaling/v1: one target for the CPU, everything else in annotations. */
export function autoscalerFromV2(object: KubeObject): KubeObject {
  const spec = fieldsOf(object['spec'])
  const status = fieldsOf(object['status'])
  const cpu = listOf(spec['metrics']).find(isCpu)
  const others = listOf(spec['metrics']).filter((metric) => metric !== cpu)
  const currentCpu = listOf(status['currentMetrics']).find(isCpu)
  const kept: Readonly<Record<string, unknown>> = {
    [ANNOTATIONS.metrics]: others.length > 0 ? others : undefined,
    [ANNOTATIONS.behavior]: spec['behavior'],
    [ANNOTATIONS.current]: status['currentMetrics'],
    [ANNOTATIONS.conditions]: status['conditions'],
  }
  const annotations = Object.entries(kept).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, JSON.stringify(value)] as const],
  )
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata:
      annotations.length === 0
        ? object.metadata
        : { ...object.metadata, annotations: { ...object.metadata.annotations, ...Object.fromEntries(annotations) } },
    spec: {
      ...without(spec, 'metrics', 'behavior'),
      ...given('targetCPUUtilizationPercentage', fieldsOf(fieldsOf(cpu?.['resource'])['target'])['averageUtilization']),
    },
    ...(object['status'] === undefined
      ? {}
      : {
          status: {
            ...without(status, 'currentMetrics', 'conditions'),
            ...given(
              'currentCPUUtilizationPercentage',
              fieldsOf(fieldsOf(currentCpu?.['resource'])['current'])['averageUtilization'],
            ),
          },
        }),
  }
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The autoscaling/v2 form in which autoscalers are kept. */
export function autoscalerToV2(object: KubeObject): KubeObject {
  const spec = fieldsOf(object['spec'])
  const status = fieldsOf(object['status'])
  const annotations = object.metadata.annotations ?? {}
  const target = spec['targetCPUUtilizationPercentage']
  const others = listOf(parsed(annotations[ANNOTATIONS.metrics]))
  const cpu = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } },
  }
  const metrics = [...others, ...(target === undefined ? [] : [cpu])]
  const left = Object.entries(annotations).filter(([name]) => !Object.values<string>(ANNOTATIONS).includes(name))
  const { annotations: _annotations, ...metadata } = object.metadata
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: left.length > 0 ? { ...metadata, annotations: Object.fromEntries(left) } : metadata,
    spec: {
      ...without(spec, 'targetCPUUtilizationPercentage'),
      ...(metrics.length > 0 ? { metrics } : {}),
      ...given('behavior', parsed(annotations[ANNOTATIONS.behavior])),
    },
    ...(object['status'] === undefined
      ? {}
      : {
          status: {
            ...without(status, 'currentCPUUtilizationPercentage'),
            ...given('currentMetrics', parsed(annotations[ANNOTATIONS.current])),
            ...given('conditions', parsed(annotations[ANNOTATIONS.conditions])),
          },
        }),
  }
}
