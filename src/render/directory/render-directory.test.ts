import { expect, test } from 'vitest'
import { memoryTree } from '../../lib/file-tree.ts'
import { detectSourceType } from '../source-type.ts'
import { type DirectoryOptions, renderDirectory } from './render-directory.ts'

const object = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`
const files = {
  'app/a.yaml': `# head\n${object('a1')}---\n${object('a2')}---\n# nothing\n`,
  'app/b.json':
    '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}]}',
  'app/below/c.yml': object('c'),
  'app/below/deep/d.yaml': object('d'),
  'app/notes.txt': 'not a manifest',
  'app/skip.yaml': `# +argocd:skip-file-rendering\n{{ broken`,
}

const names = (options: DirectoryOptions): unknown => {
  const read = renderDirectory(memoryTree(files), 'app', options)
  if (!read.ok) return read.error[0]
  return read.value.map(
    (found) => `${(found.object['metadata'] as { name: string }).name} ${found.origin.file}:${found.origin.line}`,
  )
}

test.each<readonly [string, DirectoryOptions, readonly string[]]>([
  ['the folder alone', {}, ['a1 app/a.yaml:1', 'a2 app/a.yaml:5', 'b app/b.json:1']],
  [
    'folders below',
    { recurse: true, exclude: 'b.json' },
    ['a1 app/a.yaml:1', 'a2 app/a.yaml:5', 'c app/below/c.yml:1', 'd app/below/deep/d.yaml:1'],
  ],
  ['a star takes slashes', { recurse: true, include: 'below/*' }, ['c app/below/c.yml:1', 'd app/below/deep/d.yaml:1']],
  [
    'braces hold alternatives',
    { recurse: true, include: '{*.json,*/c.yml}' },
    ['b app/b.json:1', 'c app/below/c.yml:1'],
  ],
  ['exclude wins', { recurse: true, include: 'below/**', exclude: '**/d.yaml' }, ['c app/below/c.yml:1']],
])('%s', (_name, options, want) => {
  expect(names(options)).toEqual(want)
})

test.each<readonly [string, Record<string, string | Uint8Array>, string, RegExp]>([
  ['bad YAML', { 'a.yaml': 'a: 1\n---\nb: [\n' }, 'yaml-invalid', /^a\.yaml:\d+:\d+$/],
  ['a document without a kind', { 'a.yaml': `${object('x')}---\napiVersion: v1\n` }, 'manifest-invalid', /^a\.yaml:4$/],
  ['a list for a document', { 'a.yaml': '- 1\n' }, 'manifest-invalid', /^a\.yaml:1$/],
  ['bytes that are no text', { 'a.yaml': Uint8Array.of(0xff, 0xfe) }, 'yaml-invalid', /^a\.yaml$/],
  ['Jsonnet', { 'a.yaml': object('x'), 'b.jsonnet': '{}' }, 'source-unsupported', /^b\.jsonnet$/],
  [
    'a plugin',
    { 'plugin.yaml': 'apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\n' },
    'source-unsupported',
    /^plugin\.yaml:1$/,
  ],
])('%s is refused with its place, and nothing is rendered', (_name, content, code, at) => {
  const read = renderDirectory(memoryTree(content), '')
  expect(read.ok ? read.value : read.error[0]).toMatchObject({ code, at: expect.stringMatching(at) as unknown })
})

test('a folder is a chart, a kustomization or plain manifests, in this order', () => {
  const tree = memoryTree({ 'a/Chart.yaml': '', 'a/kustomization.yaml': '', 'b/Kustomization': '', 'c/x.yaml': '' })
  expect(['a', 'b', 'c'].map((folder) => detectSourceType(tree, folder))).toEqual(['helm', 'kustomize', 'directory'])
})
