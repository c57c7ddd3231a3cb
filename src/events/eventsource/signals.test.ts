import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { valueOf } from '../../apiserver/apiserver.testkit.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds, packedProjects } from '../../kube/schema/packed-crds.ts'
import { readData } from '../../lib/data-file.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { memoryStore } from '../../store/memory-store.ts'
import type { ResourceRecord } from '../sources/resource/resource-memory.ts'
import { resourceSource } from '../sources/resource/resource-source.ts'
import { dataOf, type EventSourceWorld, eventSourceWorld, NAMESPACE } from './event-source.testkit.ts'
import { judgeEventSource } from './validate.ts'

const guide = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8')
const examples = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => {
  const parsed = parseYaml(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return parsed.value as KubeObject
})
const sources = new Map(
  examples.filter(({ kind }) => kind === 'EventSource').map((one) => [one.metadata.name ?? '', one]),
)

const worlds: EventSourceWorld[] = []
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.stop()))
})

const DEFINITIONS = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

test('every EventSource of the guide is good, and nothing in it is left out', () => {
  expect([...sources.keys()]).toContain('signals')
  for (const object of sources.values()) expect(judgeEventSource(object)).toEqual({ problems: [], warnings: [] })
})

const app = { spec: { project: 'default', destination: {}, source: { repoURL: 'https://x' } } }
const ready = (status: string): object => ({ conditions: [{ type: 'Ready', status }] })
const result = (phase: string): object => ({ status: { phase } })

describe('the platform tells', () => {
  test.each<{
    readonly name: string
    readonly resource: ResourceId
    readonly kind: string
    readonly well: object
    readonly ill: object
  }>([
    {
      name: 'application-out-of-sync',
      resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
      kind: 'Application',
      well: { ...app, status: { sync: { status: 'Synced' } } },
      ill: { status: { sync: { status: 'OutOfSync' } } },
    },
    {
      name: 'application-unhealthy',
      resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
      kind: 'Application',
      well: { ...app, status: { health: { status: 'Healthy' } } },
      ill: { status: { health: { status: 'Degraded' } } },
    },
    {
      name: 'workflow-failed',
      resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'workflows' },
      kind: 'Workflow',
      well: { spec: {}, ...result('Running') },
      ill: result('Failed'),
    },
    {
      name: 'policy-violation',
      resource: { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'policyreports' },
      kind: 'PolicyReport',
      well: { summary: { fail: 0, pass: 1 } },
      ill: { summary: { fail: 2 } },
    },
    {
      name: 'certificate-not-ready',
      resource: { group: 'cert-manager.io', version: 'v1', plural: 'certificates' },
      kind: 'Certificate',
      well: { spec: { secretName: 's', issuerRef: { name: 'ca' } } },
      ill: { status: ready('False') },
    },
    {
      name: 'external-secret-failed',
      resource: { group: 'external-secrets.io', version: 'v1', plural: 'externalsecrets' },
      kind: 'ExternalSecret',
      well: { spec: { secretStoreRef: { name: 'vault' } } },
      ill: { status: ready('False') },
    },
  ])('$name', async ({ name, resource, kind, well, ill }) => {
    const store = memoryStore<ResourceRecord>()
    const missingRights = () => Promise.resolve([])
    const world = await eventSourceWorld((ports) => ({
      makers: { resource: resourceSource({ ...ports, store, missingRights }) },
    }))
    worlds.push(world)
    const definition = packedProjects
      .flatMap((project) => packedCrds(readData, project))
      .find(({ metadata }) => metadata.name === `${resource.plural}.${resource.group}`)
    valueOf(await world.client.create({ resource: DEFINITIONS }, definition))
    await world.settle(1_000)
    await world.bus()
    const spec = sources.get('signals')?.['spec'] as { readonly resource: Readonly<Record<string, object>> }
    await world.source('signals', { ...spec, resource: { [name]: spec.resource[name] } })
    await world.settle(2_000)
    await expect.poll(() => world.condition('signals', 'Deployed')).toBe('True : ')
    const apiVersion = `${resource.group}/${resource.version}`
    await world.put(resource, { apiVersion, kind, metadata: { name: 'thing' }, ...well })
    expect(world.kept).toEqual([])
    const target = { resource, namespace: NAMESPACE, name: 'thing' }
    const hasStatus = kind === 'Certificate' || kind === 'ExternalSecret'
    valueOf(
      await world.client.patch(
        { ...target, ...(hasStatus ? { subresource: 'status' } : {}) },
        { type: 'merge', body: ill as never },
      ),
    )
    await world.settle()
    expect(world.kept.map((kept) => [kept.to.eventName, dataOf(kept)])).toMatchObject([
      [name, { type: 'UPDATE', body: { kind, ...ill }, oldBody: { kind } }],
    ])
  })

  test('alerts and notifications through webhooks', async () => {
    const world = await eventSourceWorld()
    worlds.push(world)
    await world.bus()
    await world.source('alertmanager', sources.get('alertmanager')?.['spec'] as object)
    const post = async (port: number, path: string, body: object): Promise<number> => {
      const url = await world.url('alertmanager', port)
      return (await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) })).status
    }
    const alert = { status: 'firing', alerts: [{ labels: { severity: 'critical' } }, { labels: { slo: 'checkout' } }] }
    expect(await post(12_000, '/alerts', alert)).toBe(200)
    expect(await post(12_000, '/alerts', { ...alert, status: 'resolved' })).toBe(200)
    expect(await post(12_000, '/alerts', { ...alert, alerts: [] })).toBe(200)
    expect(await post(12_001, '/notifications', { app: 'shop', phase: 'Failed' })).toBe(200)
    expect(world.kept.map(({ to }) => to.eventName)).toEqual(['slo-burn', 'notifications'])
    expect(world.kept.map(dataOf)).toMatchObject([{ body: alert }, { body: { app: 'shop', phase: 'Failed' } }])
  })
})
