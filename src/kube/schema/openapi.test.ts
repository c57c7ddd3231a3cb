import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import type { GroupVersionKind } from '../gvk.ts'
import { builtinSchemas } from './builtin.ts'
import { openApiV2, openApiV3, type PublishedResource } from './openapi.ts'
import { customResourceSchema } from './publish.ts'
import { readStructural } from './structural.ts'

const schemas = builtinSchemas(readData)
const kinds = schemas.kinds()
const kindsOf = (definition: string): readonly GroupVersionKind[] =>
  kinds.filter((kind) => kind.definition === definition).map(({ group, version, kind }) => ({ group, version, kind }))

const deployments: PublishedResource = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  verbs: ['create', 'get', 'list', 'patch', 'update', 'delete'],
  schema: schemas.schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' }) ?? {},
  subresources: [{ name: 'status', group: 'apps', version: 'v1', kind: 'Deployment', verbs: ['get', 'patch'] }],
}

const widget = { group: 'example.io', version: 'v1', kind: 'Widget' }
const widgets: PublishedResource = {
  ...widget,
  plural: 'widgets',
  namespaced: false,
  verbs: ['list', 'patch'],
  isCustom: true,
  schema: customResourceSchema(
    readStructural({
      type: 'object',
      properties: {
        metadata: { type: 'object' },
        spec: {
          type: 'object',
          properties: {
            size: { 'x-kubernetes-int-or-string': true },
            any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
          oneOf: [{ required: ['size'] }],
        },
      },
    }),
    widget,
    schemas.definition('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') ?? {},
  ),
}

interface Doc {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
  readonly definitions: Readonly<Record<string, unknown>>
}

/** Every reference in a document. */
function references(value: unknown): readonly string[] {
  return [...JSON.stringify(value).matchAll(/"\$ref":"([^"]+)"/g)].map((found) => found[1] ?? '')
}

test('a version 3 document defines all that it refers to', () => {
  const document = openApiV3({ resources: [deployments], kindsOf, version: 'v1.36.0' }) as unknown as Doc
  const names = new Set(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`))
  expect(names.size).toBeGreaterThan(100)
  expect(references(document).filter((reference) => !names.has(reference))).toEqual([])
  expect(document.components.schemas['io.k8s.api.apps.v1.Deployment']).toMatchObject({
    type: 'object',
    properties: { spec: { $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec' } },
    'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
  })
  expect(document.components.schemas['io.k8s.api.apps.v1.DeploymentSpec']).toMatchObject({
    required: ['selector', 'template'],
    properties: {
      strategy: {
        allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy' }],
        'x-kubernetes-patch-strategy': 'retainKeys',
      },
    },
  })
  expect(document.components.schemas['io.k8s.apimachinery.pkg.api.resource.Quantity']).toEqual({
    oneOf: [{ type: 'string' }, { type: 'number' }],
  })
})

test('paths tell clients which kind is where and which parameters it takes', () => {
  const document = openApiV3({ resources: [deployments, widgets], kindsOf, version: 'v1.36.0' }) as unknown as Doc
  expect(Object.keys(document.paths)).toEqual([
    '/apis/apps/v1/namespaces/{namespace}/deployments',
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}',
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status',
    '/apis/example.io/v1/widgets',
    '/apis/example.io/v1/widgets/{name}',
  ])
  const patch = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch']
  expect(patch).toMatchObject({
    'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
    parameters: [{ name: 'dryRun' }, { name: 'fieldManager' }, { name: 'fieldValidation' }, { name: 'force' }],
    requestBody: { content: { 'application/strategic-merge-patch+json': {} } },
  })
  expect(JSON.stringify(document.paths['/apis/example.io/v1/widgets/{name}'])).not.toContain('strategic')
})

test('a custom resource is published with its name, its metadata and its extensions', () => {
  const document = openApiV3({ resources: [widgets], kindsOf, version: 'v1.36.0' }) as unknown as Doc
  expect(document.components.schemas['io.example.v1.Widget']).toEqual({
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
      spec: {
        type: 'object',
        properties: {
          size: { 'x-kubernetes-int-or-string': true },
          any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
        oneOf: [{ required: ['size'] }],
      },
    },
    'x-kubernetes-group-version-kind': [widget],
  })
})

test('version 2 says what it can', () => {
  const document = openApiV2({ resources: [widgets], kindsOf, version: 'v1.36.0' }) as unknown as Doc
  expect(document.definitions['io.example.v1.Widget']).toMatchObject({
    properties: {
      metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
      spec: { type: 'object', properties: { size: { 'x-kubernetes-int-or-string': true } } },
    },
  })
  expect(JSON.stringify(document)).not.toContain('oneOf')
})
