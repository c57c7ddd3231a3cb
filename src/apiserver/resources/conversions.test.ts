import { expect, test } from 'vitest'
import { testServer, valueOf } from '../apiserver.testkit.ts'

test('an Event is the same object in both of its groups', async () => {
  const { client } = await testServer()
  const core = { resource: { group: '', version: 'v1', plural: 'events' }, namespace: 'default' }
  const events = { resource: { group: 'events.k8s.io', version: 'v1', plural: 'events' }, namespace: 'default' }
  const involvedObject = { kind: 'Pod', name: 'p', namespace: 'default' }
  valueOf(
    await client.create(core, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      involvedObject,
      reason: 'Started',
      message: 'it runs',
      type: 'Normal',
      count: 2,
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingComponent: 'kubelet',
      reportingInstance: 'node',
      action: 'Start',
    }),
  )
  const seen = valueOf(await client.get({ ...events, name: 'e' }))
  expect(seen).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    regarding: involvedObject,
    note: 'it runs',
    deprecatedCount: 2,
  })
  expect(seen['message']).toBeUndefined()
  valueOf(await client.patch({ ...events, name: 'e' }, { type: 'merge', body: { note: 'it stopped' } }))
  const found = valueOf(await client.list(core, { fieldSelector: 'involvedObject.name=p,reason=Started' }))
  expect(found.items).toMatchObject([{ apiVersion: 'v1', message: 'it stopped', involvedObject }])
})

test('an autoscaler of version 1 is kept as version 2 and comes back as it was', async () => {
  const { client } = await testServer()
  const at = (version: string) => ({
    resource: { group: 'autoscaling', version, plural: 'horizontalpodautoscalers' },
    namespace: 'default',
  })
  const spec = {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 2,
    maxReplicas: 5,
    targetCPUUtilizationPercentage: 70,
  }
  valueOf(
    await client.create(at('v1'), {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec,
    }),
  )
  const second = valueOf(await client.get({ ...at('v2'), name: 'web' }))
  expect(second).toMatchObject({
    apiVersion: 'autoscaling/v2',
    spec: { metrics: [{ resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }] },
  })
  expect(valueOf(await client.get({ ...at('v1'), name: 'web' }))['spec']).toEqual(spec)
  const memory = {
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 50 } },
  }
  const metrics = [memory, ...((second['spec'] as { metrics: object[] }).metrics ?? [])]
  valueOf(
    await client.update({ ...at('v2'), name: 'web' }, { ...second, spec: { ...(second['spec'] as object), metrics } }),
  )
  const first = valueOf(await client.get({ ...at('v1'), name: 'web' }))
  expect(first.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics']).toBe(JSON.stringify([memory]))
  valueOf(await client.patch({ ...at('v1'), name: 'web' }, { type: 'merge', body: { spec: { maxReplicas: 9 } } }))
  expect(valueOf(await client.get({ ...at('v2'), name: 'web' }))).toMatchObject({ spec: { maxReplicas: 9, metrics } })
})
