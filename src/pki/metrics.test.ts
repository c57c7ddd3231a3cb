import { expect, test } from 'vitest'
import { metricsRegistry } from '../lib/metrics.ts'
import { certificateMetrics } from './metrics.ts'
import type { Certificate } from './objects.ts'

const certificate = (issuer: string, status: object): Certificate => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'web', namespace: 'a' },
  spec: { secretName: 's', issuerRef: { name: issuer } },
  status,
})

test('the metrics of a Certificate follow it, and go with it', () => {
  const registry = metricsRegistry()
  const tell = certificateMetrics(registry)
  const values = () =>
    registry
      .samples()
      .map(({ name, labels, value }) => `${name} ${labels['issuer_name']} ${labels['condition'] ?? ''} ${value}`)
  const first = certificate('ca', {})
  tell({ type: 'added', key: 'a/web', object: first })
  expect(values()).toContain('certmanager_certificate_ready_status ca Unknown 1')
  const status = { notAfter: '1970-01-01T00:01:00Z', conditions: [{ type: 'Ready', status: 'True' }] }
  const second = certificate('other', status)
  tell({ type: 'changed', key: 'a/web', object: second, previous: first })
  expect(values().toSorted()).toEqual([
    'certmanager_certificate_expiration_timestamp_seconds other  60',
    'certmanager_certificate_not_before_timestamp_seconds other  0',
    'certmanager_certificate_ready_status other False 0',
    'certmanager_certificate_ready_status other True 1',
    'certmanager_certificate_ready_status other Unknown 0',
    'certmanager_certificate_renewal_timestamp_seconds other  0',
  ])
  tell({ type: 'removed', key: 'a/web', object: second })
  expect(values()).toEqual([])
})
