import { expect, test } from 'vitest'
import { readSettings } from './argocd-settings.ts'

test('nothing gives the usual settings', () => {
  const usual = readSettings()
  expect(usual).toMatchObject({
    refreshEveryMs: 120_000,
    impersonation: { isEnabled: false, isEnforced: true },
    namespaces: [],
    selfHeal: { firstMs: 2_000, factor: 3, longestMs: 300_000 },
    persistsHealth: true,
    problems: [],
  })
  expect(usual.resources.tracking.method).toBe('annotation')
  expect(usual.resources.filter.isExcluded('', 'Endpoints', 'x')).toBe(true)
})

test('what users set counts, and what cannot be read is told', () => {
  const set = readSettings(
    { 'resource.exclusions': '', 'application.sync.impersonation.enabled': 'true', 'timeout.reconciliation': 'soon' },
    { 'application.namespaces': 'team-*, other', 'controller.sync.timeout.seconds': '90' },
  )
  expect(set).toMatchObject({
    impersonation: { isEnabled: true },
    namespaces: ['team-*', 'other'],
    syncTimeoutMs: 90_000,
    refreshEveryMs: 120_000,
    problems: [{ code: 'argocd-setting-invalid', at: 'timeout.reconciliation' }],
  })
  expect(set.resources.filter.isExcluded('', 'Endpoints', 'x')).toBe(false)
})
