import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { packedCrds, packedProjects } from './packed-crds.ts'

test.each(packedProjects)('%s brings its definitions, ready to be created', (project) => {
  const crds = packedCrds(readData, project)
  expect(crds.length).toBeGreaterThan(0)
  for (const crd of crds) {
    const spec = crd['spec'] as { readonly group: string; readonly names: { readonly plural: string } }
    expect(crd.kind).toBe('CustomResourceDefinition')
    expect(crd.metadata.name).toBe(`${spec.names.plural}.${spec.group}`)
  }
})

test('a property that is called description is kept when the prose is dropped', () => {
  const slo = packedCrds(readData, 'pyrra')[0]
  const text = JSON.stringify(slo)
  expect(text).toContain('"description":{"type":"string"}')
  expect(text).not.toMatch(/"description":"/)
})
