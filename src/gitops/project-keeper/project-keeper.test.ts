import { expect, test } from 'vitest'
import { planProject } from './project-keeper.ts'

const deleted = {
  deletionTimestamp: '2026-01-01T00:00:00Z',
  finalizers: ['resources-finalizer.argocd.argoproj.io', 'x'],
}

test.each([
  ['is left alone while nobody deletes it', { finalizers: deleted.finalizers }, [], 'nothing'],
  ['is left alone without the finalizer', { ...deleted, finalizers: [] }, [], 'nothing'],
  ['waits for the Applications that use it', deleted, ['argocd/a'], 'wait'],
  ['goes when nobody uses it', deleted, [], 'let-go'],
])('a project %s', (_, metadata, users, want) => expect(planProject(metadata, users).do).toBe(want))

test('only the own finalizer goes, and a long list of users is cut', () => {
  expect(planProject(deleted, [])).toMatchObject({ finalizers: ['x'] })
  expect(planProject(deleted, ['a', 'b', 'c', 'd', 'e']).because).toBe('Applications use it: a, b, c and 2 more')
})
