import { conditionOf } from '../kube/condition.ts'
import { parseTime } from '../kube/time.ts'
import type { Labels, Metrics } from '../lib/metrics.ts'
import type { CacheChange } from '../runtime/informer.ts'
import { type Certificate, issuerGroup, issuerKind } from './objects.ts'

const states = ['True', 'False', 'Unknown'] as const

const times = [
  ['expiration', 'notAfter', 'The timestamp after which the certificate expires, expressed in Unix Epoch Time.'],
  [
    'renewal',
    'renewalTime',
    'The timestamp after which the certificate should be renewed, expressed in Unix Epoch Time.',
  ],
  ['not_before', 'notBefore', 'The timestamp before which the certificate is invalid, expressed in Unix Epoch Time.'],
] as const

/** Keeps cert-manager's metrics of Certificates as its cache changes. */
export function certificateMetrics(metrics: Metrics): (change: CacheChange<Certificate>) => void {
  const gauges = times.map(([name, field, help]) => ({
    field,
    gauge: metrics.gauge(`certmanager_certificate_${name}_timestamp_seconds`, help),
  }))
  const ready = metrics.gauge('certmanager_certificate_ready_status', 'The ready status of the certificate.')
  const remove = (labels: Labels): void => {
    for (const { gauge } of gauges) gauge.remove(labels)
    for (const condition of states) ready.remove({ ...labels, condition })
  }
  return ({ type, object, previous }) => {
    const labels = labelsOf(object)
    // Who issues it may have changed: that is another series.
    if (previous) remove(labelsOf(previous))
    if (type === 'removed') return remove(labels)
    for (const { field, gauge } of gauges) {
      const at = parseTime(object.status?.[field] ?? '')
      gauge.with(labels).set(at === undefined ? 0 : at / 1_000)
    }
    const is = conditionOf(object.status?.conditions, 'Ready')?.status ?? 'Unknown'
    for (const condition of states) ready.with({ ...labels, condition }).set(condition === is ? 1 : 0)
  }
}

const labelsOf = ({ metadata, spec: { issuerRef } }: Certificate): Labels => ({
  name: metadata.name ?? '',
  namespace: metadata.namespace ?? '',
  issuer_name: issuerRef.name,
  issuer_kind: issuerKind(issuerRef),
  issuer_group: issuerGroup(issuerRef),
})
