import { expect, test } from 'vitest'
import { testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import { readData } from '../lib/data-file.ts'
import { systemClock } from '../lib/clock.ts'
import { installDefinitions } from './definitions.ts'

const definitions = { resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' } }

test('definitions are installed once, served, put back when deleted, and left alone when foreign', async () => {
  const { client, server } = await testServer()
  const install = async (): Promise<readonly string[]> => {
    const installed = await installDefinitions(['pyrra', 'argo-cd'], { client, clock: systemClock, readData })
    if (!installed.ok) throw new Error(installed.error[0]?.message)
    return installed.value.written.toSorted()
  }
  const first = await install()
  expect(first).toEqual([
    'applications.argoproj.io',
    'applicationsets.argoproj.io',
    'appprojects.argoproj.io',
    'servicelevelobjectives.pyrra.dev',
  ])
  const applications = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' }
  expect(valueOf(await client.list({ resource: applications })).items).toEqual([])
  const before = server.kernel.store.revision
  expect(await install()).toEqual([])
  expect(server.kernel.store.revision).toBe(before)

  valueOf(await client.delete({ ...definitions, name: 'applications.argoproj.io' }))
  expect(await install()).toEqual(['applications.argoproj.io'])

  const foreign = { ...definitions, name: 'appprojects.argoproj.io' }
  const body = { metadata: { annotations: { 'idp-blueprint.io/definitions': null } } }
  valueOf(await client.patch(foreign, { type: 'merge', body }))
  expect(await install()).toEqual([])
})
