import { expect, test } from 'vitest'
import type { SourceChange } from './manifest-source.ts'
import { recordedManifestSource } from './recorded-source.ts'

const app = { name: 'shop', namespace: 'argocd', project: 'default' }
const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }

test('a recorded source answers what it was given, and tells that it changed', async () => {
  const source = recordedManifestSource()
  const changes: SourceChange[] = []
  const stop = source.onChange((change) => changes.push(change))
  source.set('file:///r', 'a', { revision: 'abc', manifests: [config] })
  stop()
  source.set('file:///r', 'b', { revision: 'abc', problem: { code: 'file-not-found', message: 'no such folder' } })
  expect(changes).toEqual([{ repoURL: 'file:///r', refs: [] }])
  const request = { app, sources: [{ repoURL: 'file:///r', path: 'a' }], destinationNamespace: 'x' }
  expect(await source.manifests(request)).toMatchObject({
    ok: true,
    value: { manifests: [config], revisions: ['abc'], sourceTypes: ['Directory'] },
  })
  expect(await source.manifests({ ...request, revisions: ['old'] })).toMatchObject({
    ok: false,
    error: [{ code: 'git-revision-unknown' }],
  })
  expect(await source.resolve({ app, sources: [{ repoURL: 'file:///r', path: 'b' }] })).toMatchObject({
    ok: false,
    error: [{ message: 'no such folder' }],
  })
})
