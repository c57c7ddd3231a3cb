import { expect, test } from 'vitest'
import { foldersOf, type GitChange, recordedGitFiles } from './git-files.ts'

test('folders are those that files lie in, parents first', () => {
  expect(foldersOf(['README.md', 'apps/b/x/k.yaml', 'apps/a.yaml', 'z/k.yaml'])).toEqual([
    'apps',
    'apps/b',
    'apps/b/x',
    'z',
  ])
})

test('recorded repositories answer by revision, and a change tells which one it was', async () => {
  const files = { 'a/config.json': '{}', 'b.txt': 'b' }
  const git = recordedGitFiles({ 'https://x/r': { HEAD: files, v1: { c: 'c' } } })
  const changes: GitChange[] = []
  git.onChange((change) => changes.push(change))
  const first = await git.resolve({ repoURL: 'https://x/r', revision: '' })
  expect(first).toMatchObject({ ok: true, value: expect.stringMatching(/^[0-9a-f]{40}$/) })
  expect(await git.files({ repoURL: 'https://x/r', revision: 'HEAD' }, (path) => path.endsWith('.json'))).toEqual({
    ok: true,
    value: new Map([['a/config.json', new TextEncoder().encode('{}')]]),
  })
  expect(await git.directories({ repoURL: 'https://x/r', revision: 'none' })).toMatchObject({
    error: [{ code: 'git-revision-unknown' }],
  })
  git.set({ 'https://x/r': { HEAD: { ...files, 'd/e': '' } } })
  expect(changes).toEqual([{ repoURL: 'https://x/r', refs: [] }])
  expect(await git.directories({ repoURL: 'https://x/r', revision: '' })).toEqual({ ok: true, value: ['a', 'd'] })
  expect(await git.resolve({ repoURL: 'https://x/r', revision: '' })).not.toEqual(first)
})
