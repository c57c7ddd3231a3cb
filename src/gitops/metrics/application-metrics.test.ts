import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { metricsRegistry, type Sample } from '../../lib/metrics.ts'
import { applicationMetrics, applicationSetMetrics } from './application-metrics.ts'

const application = (more: object = {}): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: {
    project: 'team',
    source: { repoURL: 'https://Example.com/org/shop.git' },
    destination: { server: 'https://s', namespace: 'n' },
    syncPolicy: { automated: {} },
  },
  ...more,
})
const named = (samples: readonly Sample[], name: string): readonly Sample[] =>
  samples.filter((sample) => sample.name === name)

test('an Application is one series, whose labels follow it, and it goes with it', () => {
  const registry = metricsRegistry()
  const tell = applicationMetrics(registry, (destination) => String(destination['server']))
  tell({ type: 'added', object: application() })
  const synced = application({ status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } } })
  tell({ type: 'changed', object: synced, previous: application() })
  expect(named(registry.samples(), 'argocd_app_info')).toEqual([
    {
      name: 'argocd_app_info',
      value: 1,
      labels: {
        namespace: 'argocd',
        name: 'shop',
        project: 'team',
        autosync_enabled: 'true',
        repo: 'https://example.com/org/shop',
        dest_server: 'https://s',
        dest_namespace: 'n',
        sync_status: 'Synced',
        health_status: 'Healthy',
        operation: '',
      },
    },
  ])
  tell({ type: 'removed', object: synced })
  expect(named(registry.samples(), 'argocd_app_info')).toEqual([])
})

test('a sync counts once, when it ends, with the seconds that it took', () => {
  const registry = metricsRegistry()
  const tell = applicationMetrics(registry, () => 'https://s')
  const running = application({ status: { operationState: { phase: 'Running', startedAt: '2026-01-01T00:00:00Z' } } })
  const ended = application({
    status: {
      operationState: { phase: 'Succeeded', startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:07Z' },
    },
  })
  tell({ type: 'added', object: running })
  tell({ type: 'changed', object: ended, previous: running })
  tell({ type: 'changed', object: ended, previous: ended })
  const [syncs] = named(registry.samples(), 'argocd_app_sync_total')
  expect(syncs).toMatchObject({ value: 1, labels: { phase: 'Succeeded', dry_run: 'false', dest_server: 'https://s' } })
  expect(named(registry.samples(), 'argocd_app_sync_duration_seconds_total')[0]?.value).toBe(7)
})

test('an ApplicationSet tells its state and how many Applications it has', () => {
  const registry = metricsRegistry()
  const tell = applicationSetMetrics(registry)
  const set: KubeObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'apps', namespace: 'argocd' },
    status: { resources: [{}, {}], conditions: [{ type: 'ResourcesUpToDate', reason: 'ApplicationSetUpToDate' }] },
  }
  tell({ type: 'added', object: set })
  expect(named(registry.samples(), 'argocd_appset_owned_applications')[0]?.value).toBe(2)
  expect(named(registry.samples(), 'argocd_appset_info')[0]?.labels['resource_update_status']).toBe(
    'ApplicationSetUpToDate',
  )
  tell({ type: 'removed', object: set })
  expect(registry.samples()).toEqual([])
})
