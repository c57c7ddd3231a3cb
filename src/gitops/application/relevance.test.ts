import { expect, test } from 'vitest'
import type { Application, Operation } from './application.ts'
import { refreshFor } from './relevance.ts'

const app = (operation?: Operation): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: { project: 'default', source: { repoURL: 'https://git.example.com/shop', path: '.' }, destination: {} },
  ...(operation ? { operation } : {}),
})

test.each<[string, Operation, string]>([
  ['a sync without a revision means the newest there is now', { sync: {} }, 'normal'],
  ['a sync to a revision needs no other look', { sync: { revision: 'abc' } }, 'live'],
  ['a sync of several sources to revisions too', { sync: { revisions: ['abc', ''] } }, 'live'],
  ['our own sync follows what was just seen', { sync: {}, initiatedBy: { automated: true } }, 'live'],
])('%s', (_name, operation, want) => {
  expect(refreshFor(app(), app(operation))).toBe(want)
})
