import { expect, test } from 'vitest'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { type FileTree, memoryTree } from '../../lib/file-tree.ts'
import { seededIds } from '../../lib/ids.ts'
import type { Result } from '../../lib/result.ts'
import { kindTable } from '../kustomize/build-kustomization.ts'
import { type RenderedSource, renderSource } from './render-source.ts'
import { settingsOf } from './settings-references.ts'
import type { ApplicationSource } from './source.ts'

const table = kindTable(readData)
const render = (tree: FileTree, source: ApplicationSource): Result<RenderedSource> =>
  renderSource({
    source,
    tree,
    refs: new Map(),
    environment: { appName: 'shop', appNamespace: 'x', projectName: 'y', revision: '0' },
    namespace: 'prod',
    ports: { clock: movableClock(), ids: seededIds(), certificates: certificateMaker },
    kustomize: { table },
    settings: settingsOf(tree),
  })
const objects = (tree: FileTree, source: ApplicationSource): unknown => {
  const rendered = render(tree, source)
  return rendered.ok ? rendered.value.objects.map(({ object }) => object) : rendered.error
}

const settings = 'dns: { suffix: lab.test }\ngateway: { httpsPort: 8443 }\nvalues: { replicas: 2 }\n'
const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec:\n  port: ${idp.gateway.httpsPort}\n'

test('a plain folder has its references replaced, and says which fields', () => {
  const rendered = render(memoryTree({ 'idp.yaml': settings, 'a/s.yaml': `# first\n${service}` }), { path: 'a' })
  expect(rendered).toMatchObject({
    ok: true,
    value: {
      objects: [
        {
          object: { spec: { port: 8443 } },
          origin: { file: 'a/s.yaml', settings: [{ field: 'spec.port', settings: ['gateway.httpsPort'] }] },
        },
      ],
    },
  })
})

test('a kustomization has them replaced after it was built', () => {
  const tree = memoryTree({
    'idp.yaml': settings,
    'a/kustomization.yaml':
      'resources: [s.yaml]\npatches:\n  - patch: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {host: \'a.${idp.dns.suffix}\'}}"\n',
    'a/s.yaml': service,
  })
  expect(objects(tree, { path: 'a' })).toMatchObject([{ spec: { port: 8443, host: 'a.lab.test' } }])
})

test('a chart has its values replaced before it is rendered: a number is a number in its templates', () => {
  const tree = memoryTree({
    'idp.yaml': settings,
    'a/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 1.0.0\n',
    'a/values.yaml': 'port: ${idp.gateway.httpsPort}\nreplicas: 1\n',
    'a/templates/s.yaml':
      'kind: Service\napiVersion: v1\nmetadata: { name: a }\nspec: { next: {{ add .Values.port 1 }}, replicas: {{ mul .Values.replicas 2 }}, host: "${idp.dns.suffix}" }\n',
  })
  const helm = { valuesObject: { replicas: '${idp.values.replicas}' } }
  expect(objects(tree, { path: 'a', helm })).toMatchObject([{ spec: { next: 8444, replicas: 4, host: 'lab.test' } }])
})

test('a repository without settings has no references', () => {
  expect(objects(memoryTree({ 'a/s.yaml': service }), { path: 'a' })).toMatchObject([
    { spec: { port: '${idp.gateway.httpsPort}' } },
  ])
})

test('a missing setting names the file, the field, the key and what was meant', () => {
  const tree = memoryTree({ 'idp.yaml': settings, 'a/s.yaml': service.replace('httpsPort', 'httpPorts') })
  expect(objects(tree, { path: 'a' })).toEqual([
    {
      code: 'settings-reference-unknown',
      at: expect.stringMatching(/^a\/s\.yaml/),
      message: 'the field spec.port refers to "${idp.gateway.httpPorts}", which idp.yaml does not set',
      cure: 'did you mean ${idp.gateway.httpPort}?',
    },
  ])
})

test('settings that cannot be read stop what refers to them, and nothing else', () => {
  const tree = memoryTree({ 'idp.yaml': 'dnz: {}', 'a/s.yaml': service, 'b/s.yaml': 'apiVersion: v1\nkind: Service\n' })
  expect(objects(tree, { path: 'a' })).toMatchObject([{ code: 'settings-invalid', at: 'idp.yaml:1' }])
  expect(objects(tree, { path: 'b' })).toMatchObject([{ kind: 'Service' }])
})

test('what a kustomization holds is named from the root of the repository', () => {
  const tree = memoryTree({
    'a/b/kustomization.yaml': 'resources: [x.yaml, ../base]\n',
    'a/b/x.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: x }\n',
    'a/base/kustomization.yaml': 'resources: [y.yaml]\n',
    'a/base/y.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: y }\n',
  })
  const rendered = render(tree, { path: 'a/b' })
  expect(rendered.ok && rendered.value.objects.map(({ origin }) => origin.file)).toEqual([
    'a/b/x.yaml',
    'a/base/y.yaml',
  ])
})

test('a generated ConfigMap is named by what the settings make of it, and those that mount it follow', () => {
  const nameFor = (suffix: string): unknown => {
    const tree = memoryTree({
      'idp.yaml': `dns: { suffix: ${suffix} }\n`,
      'a/kustomization.yaml':
        'resources: [pod.yaml]\nconfigMapGenerator: [{ name: web, literals: ["host=${idp.dns.suffix}"] }]\n',
      'a/pod.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { volumes: [{ name: v, configMap: { name: web } }] }\n',
    })
    const rendered = render(tree, { path: 'a' })
    if (!rendered.ok) throw new Error(JSON.stringify(rendered.error))
    const [map, pod] = rendered.value.objects
      .map(({ object }) => object)
      .toSorted((a) => (a['kind'] === 'Pod' ? 1 : -1))
    expect(map).toMatchObject({ data: { host: suffix } })
    const { name } = (map?.['metadata'] ?? {}) as { readonly name?: string }
    expect(pod).toMatchObject({ spec: { volumes: [{ configMap: { name } }] } })
    return name
  }
  expect(nameFor('one.test')).not.toBe(nameFor('two.test'))
  expect(nameFor('one.test')).toBe(nameFor('one.test'))
})
