import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { builtinSchemas } from './builtin.ts'
import { packedDefinitions } from './notation.ts'
import type { Schema } from './schema.ts'

const schemas = builtinSchemas(readData)

function at(schema: Schema | undefined, ...path: readonly string[]): Schema | undefined {
  let node = schema
  for (const name of path) node = name === '[]' ? node?.items : node?.properties?.get(name)
  return node
}

test('a kind of one group is a graph that reaches the types of other groups', () => {
  const deployment = schemas.schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' })
  const container = at(deployment, 'spec', 'template', 'spec', 'containers', '[]')
  expect(container?.definition).toBe('io.k8s.api.core.v1.Container')
  expect(container).toBe(schemas.definition('io.k8s.api.core.v1.Container'))
  expect(container?.required).toEqual(['name'])
})

test('lists know how they merge, in apply and in strategic patches', () => {
  const container = schemas.definition('io.k8s.api.core.v1.Container')
  expect(at(container, 'ports')).toMatchObject({
    type: 'array',
    listType: 'map',
    listMapKeys: ['containerPort', 'protocol'],
    patchStrategy: ['merge'],
    patchMergeKey: 'containerPort',
  })
  expect(at(container, 'ports', '[]', 'protocol')?.default).toBe('TCP')
})

test('a field that refers to a definition and has flags of its own is a copy that is complete', () => {
  const spec = schemas.definition('io.k8s.api.apps.v1.DeploymentSpec')
  const strategy = at(spec, 'strategy')
  expect(strategy?.patchStrategy).toEqual(['retainKeys'])
  expect(at(strategy, 'type')).toEqual({ type: 'string' })
  expect(schemas.definition('io.k8s.api.apps.v1.DeploymentStrategy')?.patchStrategy).toBeUndefined()
})

test('types whose JSON form OpenAPI cannot say are mended', () => {
  const quantities = at(schemas.definition('io.k8s.api.core.v1.ResourceRequirements'), 'limits')
  expect(quantities?.additionalProperties).toMatchObject({ type: 'string', format: 'quantity' })
  expect(at(schemas.definition('io.k8s.api.core.v1.ServicePort'), 'targetPort')?.intOrString).toBe(true)
})

test('a type that contains itself is a cycle', () => {
  const props = schemas.definition('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  expect(at(props, 'not')).toBe(props)
  expect(at(props, 'properties')?.additionalProperties).toBe(props)
})

test('every kind and every definition decodes', () => {
  const kinds = schemas.kinds()
  expect(kinds.length).toBeGreaterThan(180)
  for (const kind of kinds) expect(schemas.schemaOf(kind)?.definition).toBe(kind.definition)
  const packs = new Set(kinds.map(({ definition }) => definition))
  expect(packs.size).toBe(kinds.length)
})

test('an unknown kind has no schema, and a kind of every group has one everywhere', () => {
  expect(schemas.schemaOf({ group: 'apps', version: 'v1', kind: 'constructor' })).toBeUndefined()
  expect(schemas.schemaOf({ group: 'apps', version: 'v1', kind: 'DeleteOptions' })?.definition).toMatch(
    /DeleteOptions$/,
  )
})

test('resources carry what kubectl knows', () => {
  const find = (plural: string, subresource?: string): unknown =>
    schemas.resources().find((resource) => resource.plural === plural && resource.subresource === subresource)
  expect(find('deployments')).toEqual({
    group: 'apps',
    version: 'v1',
    plural: 'deployments',
    singular: 'deployment',
    kind: 'Deployment',
    speaks: { group: 'apps', version: 'v1', kind: 'Deployment' },
    namespaced: true,
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['deploy'],
    categories: ['all'],
  })
  expect(find('deployments', 'scale')).toMatchObject({
    kind: 'Scale',
    speaks: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    verbs: ['get', 'patch', 'update'],
  })
  expect(find('namespaces')).toMatchObject({ namespaced: false, shortNames: ['ns'] })
})

test('a pack that names a type it does not hold is a broken build, not a missing field', () => {
  expect(() => packedDefinitions(() => '@io.k8s.api.x.v1\nA\n b B\n').node('io.k8s.api.x.v1.A')).toThrow('name B')
})
