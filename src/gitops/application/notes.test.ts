import { expect, test } from 'vitest'
import { metricsRegistry } from '../../lib/metrics.ts'
import type { EventNote, EventRecorder } from '../../runtime/event-recorder.ts'
import { appMetrics } from './app-metrics.ts'
import type { Application, ApplicationStatus, OperationState } from './application.ts'
import { noteChange } from './notes.ts'

const app = (status: ApplicationStatus): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: 'https://git.example.com/a.git' },
    destination: { server: 'https://c' },
  },
  status,
})

const state = (more: Partial<OperationState>): OperationState => ({
  phase: 'Running',
  startedAt: '2026-01-01T00:00:00Z',
  operation: { sync: {} },
  syncResult: { revision: 'abc' },
  ...more,
})

function notes(before: ApplicationStatus, after: ApplicationStatus): readonly EventNote[] {
  const told: EventNote[] = []
  const events: EventRecorder = { note: (_about, note) => void told.push(note), run: async () => {} }
  noteChange(events, app(before), app(after))
  return told
}

const bad = { sync: { status: 'OutOfSync' as const }, health: { status: 'Missing' as const } }
const good = { sync: { status: 'Synced' as const }, health: { status: 'Healthy' as const } }

test('a sync that goes well is one Event', () => {
  expect(
    notes({ ...bad, operationState: state({}) }, { ...good, operationState: state({ phase: 'Succeeded' }) }),
  ).toEqual([{ type: 'Normal', reason: 'OperationCompleted', message: 'Sync operation to abc succeeded' }])
})

test('a sync that fails is a warning', () => {
  const failed = state({
    phase: 'Failed',
    message: 'no room',
    operation: { sync: { resources: [{ kind: 'A', name: 'a' }] } },
  })
  expect(notes({ ...bad, operationState: state({}) }, { ...bad, operationState: failed })).toEqual([
    { type: 'Warning', reason: 'OperationCompleted', message: 'Partial sync operation to abc failed: no room' },
  ])
})

test('what changes by itself is told, and what does not is not', () => {
  expect(notes(good, { ...good, health: { status: 'Degraded' } })).toEqual([
    { type: 'Normal', reason: 'ResourceUpdated', message: 'Updated health status: Healthy -> Degraded' },
  ])
  expect(notes(good, good)).toEqual([])
  expect(notes({}, bad)).toEqual([])
})

test('an Application has one series, whatever becomes of it', () => {
  const registry = metricsRegistry()
  const figures = appMetrics(registry)
  figures.seen(app(bad), app(bad))
  figures.seen(app(good), app(bad))
  figures.wrote(app({ operationState: state({}) }), app({ operationState: state({ phase: 'Succeeded' }) }))
  expect(registry.text()).toContain('sync_status="Synced"')
  expect(registry.text()).not.toContain('sync_status="OutOfSync"')
  expect(registry.text()).toMatch(/argocd_app_sync_total\{.*phase="Succeeded".*\} 1/)
  figures.seen(undefined, app(good))
  expect(registry.text()).not.toMatch(/^argocd_app_info\{/m)
})
