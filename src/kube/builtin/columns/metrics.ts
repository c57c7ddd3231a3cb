import type { KubeObject } from '../../object.ts'
import type { Fields } from '../defaulting.ts'
import { at, objectsAt, textAt } from './column.ts'

/** The most metrics that a cell shows. */
const MOST = 2

const sources: Readonly<Record<string, string>> = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
}

/** `cpu: 12%/80%`: what a metric is, and what it should be. */
function metricText(metric: Fields, current: Fields | undefined): string {
  const source = sources[textAt(metric, 'type')]
  if (source === undefined) return '<unknown type>'
  const target = at(metric, source, 'target')
  const now = at(current, source, 'current')
  const name = textAt(metric, source, 'name')
  const label = textAt(metric, 'type') === 'Resource' ? `${name}: ` : ''
  const [field, unit] =
    textAt(target, 'averageUtilization') !== ''
      ? ['averageUtilization', '%']
      : [textAt(target, 'averageValue') !== '' ? 'averageValue' : 'value', '']
  const measured = textAt(now, field)
  const average = field === 'averageValue' && source !== 'resource' && source !== 'pods' ? ' (avg)' : ''
  return `${label}${measured === '' ? '<unknown>' : measured + unit}/${textAt(target, field)}${unit}${average}`
}

/** What an autoscaler measures. */
export function metricsText(autoscaler: KubeObject): string {
  const old = at(autoscaler, 'spec', 'targetCPUUtilizationPercentage')
  if (typeof old === 'number') {
    const now = textAt(autoscaler, 'status', 'currentCPUUtilizationPercentage')
    return `cpu: ${now === '' ? '<unknown>' : `${now}%`}/${old}%`
  }
  const metrics = objectsAt(autoscaler, 'spec', 'metrics')
  const current = objectsAt(autoscaler, 'status', 'currentMetrics')
  if (metrics.length === 0) return '<none>'
  const shown = metrics.slice(0, MOST).map((metric, index) => metricText(metric, current[index]))
  return metrics.length > MOST ? `${shown.join(', ')} + ${metrics.length - MOST} more...` : shown.join(', ')
}
