import { afterEach, beforeEach, expect, test } from 'vitest'
import { conditionOf } from '../../../kube/condition.ts'
import { apiVersionOf } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { ConfigMap, Namespace, Pod } from '../../pods/kinds.ts'
import { podStatusOf } from '../../pods/pod-state.ts'
import { workloadWorld, type WorkloadWorld } from '../../workload-world.testkit.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const place = { resource: ConfigMap, namespace: 'kube-system' }
const map = (rules: string): KubeObject => ({
  apiVersion: apiVersionOf(ConfigMap),
  kind: 'ConfigMap',
  metadata: { name: 'simulation' },
  data: { 'rules.yaml': rules },
})
const isReady = async (): Promise<boolean> => {
  const pod = await world.get(Pod, 'web')
  return pod !== undefined && conditionOf(podStatusOf(pod).conditions, 'Ready')?.status === 'True'
}

test('rules of a ConfigMap hold for Pods that run, change with it, and go with it', async () => {
  expect((await world.list(Namespace)).map(({ metadata }) => metadata.name)).toContain('kube-system')
  await world.create(Pod, { metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'shop/web:1' }] } })
  await world.until(isReady)
  await world.client.create(place, map('[{ match: { image: "shop/*" }, stages: [{ become: unready }] }]'))
  await world.until(async () => !(await isReady()))
  await world.client.update({ ...place, name: 'simulation' }, map('[{ match: { image: "bank/*" }, pull: fail }]'))
  await world.until(isReady)
  await world.client.update({ ...place, name: 'simulation' }, map('[{ mtach: {} }]'))
  await world.clock.advance(2_000)
  expect(await isReady()).toBe(true)
  const events = await world.client.list({
    resource: { group: '', version: 'v1', plural: 'events' },
    namespace: 'kube-system',
  })
  const told = events.ok ? events.value.items.filter(({ reason }) => reason === 'InvalidSimulationRules') : []
  expect(told.map(({ message }) => message)).toEqual([
    'rules.yaml[0].mtach: is no field of a rule; there are match, runs, pull, stages, stop',
  ])
})
