import { expect, test } from 'vitest'
import { memoryTree } from '../lib/file-tree.ts'
import { fail, succeed } from '../lib/result.ts'
import { renderCached, type RenderStore } from './cache.ts'
import { renderDirectory } from './directory/render-directory.ts'

const memoryStore = (): RenderStore => {
  const kept = new Map<string, string>()
  return { get: (key) => kept.get(key), set: (key, value) => void kept.set(key, value) }
}

const files = {
  'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'app/.argocd-note': 'x',
  'app/below/c.yaml': 'apiVersion: v1\nkind: Secret\n',
  'other/b.yaml': 'b: 1\n',
}

/** Renders and counts how often it really happened. */
function counted(
  store: RenderStore,
): (content: Record<string, string>, question?: unknown) => { readonly times: number; readonly names: unknown } {
  let times = 0
  return (content, question = {}) => {
    const result = renderCached(memoryTree(content), question, store, (tree) => {
      times++
      return renderDirectory(tree, 'app')
    })
    return { times, names: result.ok ? result.value.map(({ object }) => object['kind']) : result.error[0]?.code }
  }
}

test('a file that was not looked at renders nothing anew', () => {
  const render = counted(memoryStore())
  expect(render(files)).toEqual({ times: 1, names: ['ConfigMap'] })
  expect(render({ ...files, 'other/b.yaml': 'b: 2\n', 'other/new.yaml': '' }).times).toBe(1)
  expect(render({ ...files, 'app/below/c.yaml': 'changed', 'app/.argocd-note': 'y' }).times).toBe(1)
})

test.each<readonly [string, Record<string, string>]>([
  ['a file that was read', { ...files, 'app/a.yaml': files['app/a.yaml'].replace('ConfigMap', 'Secret') }],
  ['a new file in a folder that was listed', { ...files, 'app/b.yaml': files['app/a.yaml'] }],
  ['a file that is gone', { 'app/.argocd-note': 'x' }],
])('%s renders anew, and the old state is still known', (_name, changed) => {
  const render = counted(memoryStore())
  render(files)
  expect(render(changed).times).toBe(2)
  expect(render(files)).toEqual({ times: 2, names: ['ConfigMap'] })
})

test('another question renders anew', () => {
  const render = counted(memoryStore())
  render(files, { values: { a: 1 }, version: '1' })
  expect(render(files, { values: { a: 2 }, version: '1' }).times).toBe(2)
  expect(render(files, { values: { a: 1 }, version: '2' }).times).toBe(3)
  expect(render(files, { values: { a: 1 }, version: '1' }).times).toBe(3)
})

test('failures are not kept', () => {
  const store = memoryStore()
  let times = 0
  const render = (): unknown =>
    renderCached(memoryTree(files), {}, store, () =>
      ++times === 1 ? fail({ code: 'yaml-invalid', message: 'x' }) : succeed(times),
    )
  expect([render(), render(), render()]).toMatchObject([{ ok: false }, { ok: true, value: 2 }, { ok: true, value: 2 }])
})
