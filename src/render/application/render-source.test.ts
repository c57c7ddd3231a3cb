import { describe, expect, test } from 'vitest'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { type FileTree, memoryTree } from '../../lib/file-tree.ts'
import { seededIds } from '../../lib/ids.ts'
import { kindTable } from '../kustomize/build-kustomization.ts'
import { readImage } from './kustomize-overrides.ts'
import { renderSource } from './render-source.ts'
import { type ApplicationSource, buildVariables, substitute } from './source.ts'

const table = kindTable(readData)
const environment = { appName: 'shop', appNamespace: 'argocd', projectName: 'team', revision: '0123456789abcdef' }
const render = (tree: FileTree, source: ApplicationSource, refs: Record<string, FileTree> = {}): unknown => {
  const rendered = renderSource({
    source,
    tree,
    refs: new Map(Object.entries(refs)),
    environment,
    namespace: 'shop-prod',
    ports: { clock: movableClock(), ids: seededIds(), certificates: certificateMaker },
    kustomize: { table },
  })
  return rendered.ok ? rendered.value.objects.map(({ object }) => object) : rendered.error[0]?.message
}
const config = (name: string, data: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

describe('a chart', () => {
  const tree = memoryTree({
    'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'chart/values.yaml': 'a: chart\nb: chart\nlist: [x]\n',
    'chart/prod.yaml': 'a: file\n',
    'chart/note.txt': 'hello',
    'chart/crds/crd.yaml': 'apiVersion: v1\nkind: Definition\nmetadata: {name: d}\n',
    'chart/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  ns: {{ .Release.Namespace }}\n  a: {{ .Values.a | quote }}\n  b: {{ .Values.b | quote }}\n  note: {{ .Values.note | default "" | quote }}\n',
    'chart/templates/test.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {"helm.sh/hook": test}}\n',
    'shared/values.yaml': 'b: shared\n',
  })
  const data = (a: string, b: string, n = ''): object => ({ ns: 'shop-prod', a, b, note: n })
  const only: ApplicationSource = { path: 'chart', helm: { skipCrds: true, skipTests: true } }
  test.each<[string, ApplicationSource['helm'], unknown]>([
    ['takes its own values', {}, [config('shop', data('chart', 'chart'))]],
    ['a release name', { releaseName: 'r' }, [config('r', data('chart', 'chart'))]],
    [
      'files, inline values and parameters override in this order',
      { valueFiles: ['prod.yaml'], values: 'b: inline', parameters: [{ name: 'note', value: '1,2' }] },
      [config('shop', data('file', 'inline', '1,2'))],
    ],
    [
      'an object instead of text',
      { valuesObject: { a: 'object' }, values: 'a: text' },
      [config('shop', data('object', 'chart'))],
    ],
    [
      'files of another source',
      { valueFiles: ['$config/shared/values.yaml'] },
      [config('shop', data('chart', 'shared'))],
    ],
    [
      'files from the root of the repository',
      { valueFiles: ['/shared/values.yaml'] },
      [config('shop', data('chart', 'shared'))],
    ],
    [
      'build variables',
      { parameters: [{ name: 'note', value: '$ARGOCD_APP_NAME-${ARGOCD_APP_REVISION_SHORT}', forceString: true }] },
      [config('shop', data('chart', 'chart', 'shop-0123456'))],
    ],
    [
      'a file as a value',
      { fileParameters: [{ name: 'note', path: 'note.txt' }] },
      [config('shop', data('chart', 'chart', 'hello'))],
    ],
    [
      'a file that may be missing',
      { valueFiles: ['nope.yaml'], ignoreMissingValueFiles: true },
      [config('shop', data('chart', 'chart'))],
    ],
    ['a file that may not', { valueFiles: ['nope.yaml'] }, 'there is no value file nope.yaml'],
    ['a file outside the repository', { valueFiles: ['../../etc/passwd'] }, 'there is no value file ../../etc/passwd'],
    ['a reference to nobody', { valueFiles: ['$other/x.yaml'] }, 'no source of the application has the ref other'],
    [
      'a file on the network',
      { valueFiles: ['https://example.com/v.yaml'] },
      'the value file https://example.com/v.yaml is on the network',
    ],
  ])('%s', (_name, helm, want) => {
    expect(render(tree, { ...only, helm: { ...only.helm, ...helm } }, { config: tree })).toEqual(want)
  })

  test('definitions come first and hooks last', () => {
    const kinds = (render(tree, { path: 'chart' }) as { kind: string }[]).map(({ kind }) => kind)
    expect(kinds).toEqual(['Definition', 'ConfigMap', 'Pod'])
  })
})

describe('a kustomization', () => {
  const tree = memoryTree({
    'app/kustomization.yaml':
      'resources: [all.yaml]\ncommonAnnotations: {kept: "1"}\nimages: [{name: nginx, newTag: "1"}]\n',
    'app/all.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: nginx}]}\n',
  })
  test('is built with the overrides of its Application', () => {
    const kustomize = {
      namePrefix: 'p-',
      namespace: 'n',
      images: ['nginx=registry/nginx:2'],
      replicas: [{ name: 'web', count: '3' }],
      commonLabels: { team: 'a' },
      labelWithoutSelector: true,
      commonAnnotations: { app: '$ARGOCD_APP_NAME' },
      commonAnnotationsEnvsubst: true,
      patches: [{ target: { kind: 'Deployment' }, patch: '- {op: add, path: /spec/paused, value: true}' }],
    }
    expect(render(tree, { path: 'app', kustomize })).toMatchObject([
      {
        metadata: { name: 'p-web', namespace: 'n', labels: { team: 'a' }, annotations: { kept: '1', app: 'shop' } },
        spec: {
          replicas: 3,
          paused: true,
          selector: { matchLabels: { app: 'web' } },
          template: { spec: { containers: [{ image: 'registry/nginx:2' }] } },
        },
      },
    ])
  })
  test('keeps what it says itself, unless that is forced', () => {
    const kustomize = { commonAnnotations: { kept: '2' } }
    expect(render(tree, { path: 'app', kustomize })).toBe('commonAnnotations of the kustomization has kept already')
    expect(render(tree, { path: 'app', kustomize: { ...kustomize, forceCommonAnnotations: true } })).toMatchObject([
      { metadata: { annotations: { kept: '2' } } },
    ])
  })
  test.each([
    ['nginx:2', { name: 'nginx', newTag: '2' }],
    ['nginx=other', { name: 'nginx', newName: 'other' }],
    ['nginx=host:5000/nginx:2', { name: 'nginx', newName: 'host:5000/nginx', newTag: '2' }],
    ['nginx@sha256:abc', { name: 'nginx', digest: 'sha256:abc' }],
    ['host:5000/nginx', { name: 'host:5000/nginx' }],
  ])('the image %s', (text, want) => {
    expect(readImage(text)).toEqual(want)
  })
})

describe('other sources', () => {
  const tree = memoryTree({
    'plain/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    'plain/more/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
  })
  test.each<[string, ApplicationSource, unknown]>([
    ['a plain folder', { path: 'plain' }, [{ metadata: { name: 'a' } }]],
    [
      'a plain folder and those below',
      { path: './plain/', directory: { recurse: true } },
      [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
    ],
  ])('%s', (_name, source, want) => {
    expect(render(tree, source)).toMatchObject(want as object)
  })
  test.each<[string, ApplicationSource, RegExp]>([
    ['a plugin', { path: 'plain', plugin: {} }, /plugins are programs/],
    ['a path that climbs out', { path: '../x' }, /leaves the repository/],
    ['a folder that is not there', { path: 'nope' }, /no such folder/],
    [
      'no kustomization where one is asked for',
      { path: 'plain', kustomize: { namePrefix: 'x' } },
      /no kustomization in plain/,
    ],
  ])('%s is refused', (_name, source, message) => {
    expect(render(tree, source)).toMatch(message)
  })
})

test('a doubled dollar is a dollar, and what is not known is nothing', () => {
  const variables = buildVariables(environment, { repoURL: 'https://git', targetRevision: 'main' })
  expect(substitute('$$HOME ${ARGOCD_APP_SOURCE_TARGET_REVISION} [$NOPE]', variables)).toBe('$HOME main []')
})
