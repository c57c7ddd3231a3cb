import { afterEach, beforeEach, expect, test } from 'vitest'
import { conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { Deployment, Pod, ReplicaSet } from '../pods/kinds.ts'
import { replicaSetSpecOf } from '../replicaset/replicaset.ts'
import { at, template, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'
import { deploymentStatusOf, REVISION, revisionOf } from './deployment.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const web = (spec: object = {}): object => ({
  metadata: { name: 'web' },
  spec: { replicas: 4, selector: { matchLabels: { app: 'web' } }, template: template('web'), ...spec },
})
const read = async (): Promise<KubeObject> => {
  const found = await world.get(Deployment, 'web')
  if (!found) throw new Error('there is no Deployment')
  return found
}
const reasonOf = async (type: string): Promise<string | undefined> =>
  conditionOf(deploymentStatusOf(await read()).conditions, type)?.reason
const isRolledOut = async (): Promise<boolean> => {
  const deployment = await read()
  const { observedGeneration, updatedReplicas, replicas, availableReplicas } = deploymentStatusOf(deployment)
  const wanted = at(deployment, 'spec', 'replicas')
  return (
    observedGeneration === deployment.metadata.generation &&
    [updatedReplicas, replicas, availableReplicas].every((count) => (count ?? 0) === wanted)
  )
}
const setImage = (image: string) => world.change(Deployment, 'web', { spec: { template: template('web', { image }) } })
const sizes = async (): Promise<readonly string[]> =>
  (await world.list(ReplicaSet))
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .map((set) => `${revisionOf(set)}: ${replicaSetSpecOf(set).replicas}`)
const counts = async (): Promise<{ total: number; available: number }> => {
  const pods = await world.list(Pod)
  const isReady = (pod: KubeObject): boolean =>
    conditionOf((at(pod, 'status', 'conditions') ?? []) as never, 'Ready')?.status === 'True'
  return { total: pods.length, available: pods.filter(isReady).length }
}

test('a Deployment becomes available, and says so', async () => {
  await world.create(Deployment, web())
  await world.until(isRolledOut)
  const { conditions, ...status } = deploymentStatusOf(await read())
  expect(status).toEqual({
    observedGeneration: 1,
    replicas: 4,
    updatedReplicas: 4,
    readyReplicas: 4,
    availableReplicas: 4,
  })
  expect(conditions).toMatchObject([
    { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
    { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
  ])
  expect((await read()).metadata.annotations?.[REVISION]).toBe('1')
  const [set] = await world.list(ReplicaSet)
  expect(set?.metadata.name).toBe(`web-${set?.metadata.labels?.['pod-template-hash']}`)
  expect(await world.told('ScalingReplicaSet')).toEqual([`Scaled up replica set ${set?.metadata.name} from 0 to 4`])
})

test('a rolling update keeps within its bounds, and an older template finds its set again', async () => {
  const slow = {
    metadata: { labels: { app: 'web' } },
    spec: {
      containers: [
        { name: 'main', image: 'web:1', readinessProbe: { initialDelaySeconds: 3, tcpSocket: { port: 80 } } },
      ],
    },
  }
  await world.create(Deployment, web({ template: slow }))
  await world.until(isRolledOut)
  await world.change(Deployment, 'web', {
    spec: { template: { spec: { containers: [{ ...slow.spec.containers[0], image: 'web:2' }] } } },
  })
  let most = 0
  let least = 4
  await world.until(async () => {
    const { total, available } = await counts()
    most = Math.max(most, total)
    least = Math.min(least, available)
    return isRolledOut()
  })
  expect({ most, least }).toEqual({ most: 5, least: 3 })
  expect(await sizes()).toEqual(['1: 0', '2: 4'])
  await world.change(Deployment, 'web', { spec: { template: slow } })
  await world.until(isRolledOut)
  expect(await sizes()).toEqual(['2: 0', '3: 4'])
  expect(
    (await world.list(ReplicaSet))
      .map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision-history'])
      .filter(Boolean),
  ).toEqual(['1'])
})

test('an update whose image cannot be pulled runs into its deadline, keeps serving, and can be taken back', async () => {
  await world.create(Deployment, web({ progressDeadlineSeconds: 60 }))
  await world.until(isRolledOut)
  await setImage('web:missing')
  await world.clock.advance(50_000)
  expect(await reasonOf('Progressing')).toBe('ReplicaSetUpdated')
  expect((await counts()).available).toBe(3)
  await world.until(async () => (await reasonOf('Progressing')) === 'ProgressDeadlineExceeded')
  expect(conditionOf(deploymentStatusOf(await read()).conditions, 'Progressing')?.status).toBe('False')
  expect(await reasonOf('Available')).toBe('MinimumReplicasAvailable')
  await setImage('web:1')
  await world.until(isRolledOut)
  expect(await reasonOf('Progressing')).toBe('NewReplicaSetAvailable')
  expect(await sizes()).toEqual(['2: 0', '3: 4'])
})

test('scaling in the middle of a rollout is shared by the sets', async () => {
  await world.create(Deployment, web({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }))
  await world.until(isRolledOut)
  await setImage('web:missing')
  await world.clock.advance(5_000)
  expect(await sizes()).toEqual(['1: 8', '2: 5'])
  await world.change(Deployment, 'web', { spec: { replicas: 15 } })
  await world.clock.advance(5_000)
  expect(await sizes()).toEqual(['1: 11', '2: 7'])
  await world.change(Deployment, 'web', { spec: { replicas: 0 } })
  await world.until(async () => (await world.list(Pod)).length === 0)
})

test('Recreate removes every old Pod before it makes a new one', async () => {
  await world.create(Deployment, web({ strategy: { type: 'Recreate' } }))
  await world.until(isRolledOut)
  await setImage('web:2')
  let wereMixed = false
  await world.until(
    async () => {
      const images = new Set(
        (await world.list(Pod)).map((pod) => JSON.stringify(at(pod, 'spec', 'containers', '0', 'image'))),
      )
      wereMixed ||= images.size > 1
      return isRolledOut()
    },
    { stepMs: 50 },
  )
  expect(wereMixed).toBe(false)
})

test('while it is paused a new template waits; old sets beyond the history go', async () => {
  await world.create(Deployment, web({ replicas: 1, revisionHistoryLimit: 1 }))
  await world.until(isRolledOut)
  await world.change(Deployment, 'web', { spec: { paused: true } })
  await setImage('web:2')
  await world.clock.advance(2_000)
  expect(await reasonOf('Progressing')).toBe('DeploymentPaused')
  expect(await sizes()).toEqual(['1: 1'])
  await world.change(Deployment, 'web', { spec: { paused: false } })
  await world.until(isRolledOut)
  await setImage('web:3')
  await world.until(isRolledOut)
  await world.until(async () => (await world.list(ReplicaSet)).length === 2)
  expect(await sizes()).toEqual(['2: 0', '3: 1'])
})
