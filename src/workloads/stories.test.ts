import { afterEach, beforeEach, expect, test } from 'vitest'
import { conditionOf } from '../kube/condition.ts'
import { type Kind } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { resourceQuotas } from './collections.ts'
import { deploymentStatusOf } from './deployment/deployment.ts'
import {
  CronJob,
  Deployment,
  Job,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  StatefulSet,
} from './pods/kinds.ts'
import { podStatusOf } from './pods/pod-state.ts'
import { podSpecOf } from '../kube/pod.ts'
import { at, template } from './workload-world.testkit.ts'
import { type World, world } from './workloads.testkit.ts'

// A whole cluster with all of its controllers, at a time that the story moves.

const PriorityClass: Kind = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  scope: 'Cluster',
}

const ServiceAccount = { group: '', version: 'v1', plural: 'serviceaccounts' }

let here: World
beforeEach(async () => {
  here = await world({ controllers: 'all', ports: { rootCa: 'PEM' } })
  await until(
    async () =>
      (await list(Node)).length === 3 &&
      (await here.names({ group: '', version: 'v1', plural: 'serviceaccounts' }, 'default')).length === 1,
  )
})
afterEach(async () => {
  await here.stop()
  // Whatever a story does to the cluster, no controller may throw.
  const thrown = here.logged.filter(({ level }) => level === 'error')
  if (thrown.length > 0) throw new Error(`controllers threw: ${JSON.stringify(thrown)}`)
})

async function until(fact: () => Promise<boolean>, withinMs = 120_000): Promise<void> {
  const endMs = here.clock.now() + withinMs
  while (!(await fact())) {
    if (here.clock.now() >= endMs) throw new Error(`this did not come about within ${withinMs} ms: ${fact.toString()}`)
    await here.clock.advance(500)
  }
}

const placeOf = (kind: Kind) => ({ resource: kind, ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}) })

async function list(kind: Kind): Promise<readonly KubeObject[]> {
  const listed = await here.client.list(placeOf(kind))
  if (!listed.ok) throw new Error(listed.error.message)
  return listed.value.items
}

async function create(kind: Kind, object: Partial<KubeObject> & Pick<KubeObject, 'metadata'>): Promise<void> {
  const { namespace } = placeOf(kind) as { readonly namespace?: string }
  await here.create(kind, { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } })
}

async function change(kind: Kind, name: string, body: object): Promise<void> {
  const changed = await here.client.patch(
    { ...placeOf(kind), name },
    { type: 'merge', body: body as Record<string, never> },
  )
  if (!changed.ok) throw new Error(changed.error.message)
}

const deployment = (
  name: string,
  replicas: number,
  parts: Parameters<typeof template>[1] & { readonly strategy?: object } = {},
) => ({
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: template(name, parts),
    ...(parts.strategy ? { strategy: parts.strategy } : {}),
  },
})

const readyOf = async (name: string): Promise<number> => {
  const found = await here.get(Deployment, name, 'default')
  return found ? (deploymentStatusOf(found).readyReplicas ?? 0) : 0
}
const isReady = (name: string, replicas: number) => async (): Promise<boolean> => (await readyOf(name)) === replicas

/** `app on node`, with what is to be said of it. */
const places = async (): Promise<readonly string[]> =>
  (await list(Pod))
    .map((pod) => {
      const going = pod.metadata.deletionTimestamp === undefined ? '' : ' going'
      return `${pod.metadata.labels?.['app'] ?? ''} on ${podSpecOf(pod).nodeName ?? 'none'}${going}`
    })
    .toSorted()

const setNode = (name: string, is: string | null) =>
  change(Node, name, { metadata: { annotations: { 'simulate.idp.dev/node': is } } })

const eventsOf = async (reason: string): Promise<readonly string[]> => {
  const listed = await here.client.list({
    resource: { group: '', version: 'v1', plural: 'events' },
    namespace: 'default',
  })
  return listed.ok
    ? listed.value.items.filter((one) => one['reason'] === reason).map((one) => String(one['message']))
    : []
}

async function evict(name: string): Promise<string> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } }
  const answer = await here.client.create({ resource: Pod, namespace: 'default', name, subresource: 'eviction' }, body)
  // An eviction is answered by a Status, which says whether it was let through.
  return answer.ok || (answer.error.status as string) === 'Success' ? 'gone' : answer.error.reason
}

test('a rollout that gets stuck keeps serving, says so, and is taken back', async () => {
  await create(Deployment, { ...deployment('web', 4) })
  await until(isReady('web', 4))
  await change(Deployment, 'web', {
    spec: { progressDeadlineSeconds: 60, template: template('web', { image: 'web:missing' }) },
  })
  const progress = async (): Promise<string | undefined> => {
    const found = await here.get(Deployment, 'web', 'default')
    return found && conditionOf(deploymentStatusOf(found).conditions, 'Progressing')?.reason
  }
  await until(async () => (await progress()) === 'ProgressDeadlineExceeded')
  expect(await readyOf('web')).toBe(3)
  await change(Deployment, 'web', { spec: { template: template('web', { image: 'web:1' }) } })
  await until(async () => (await readyOf('web')) === 4 && (await progress()) === 'NewReplicaSetAvailable')
  expect((await places()).length).toBe(4)
})

test('a quota that has no room for the surge holds a rollout up until there is room', async () => {
  await create(
    { ...PriorityClass, ...resourceQuotas, kind: 'ResourceQuota', scope: 'Namespaced' },
    { metadata: { name: 'q' }, spec: { hard: { pods: '3' } } },
  )
  await create(Deployment, {
    ...deployment('web', 3, { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }),
  })
  await until(isReady('web', 3))
  await change(Deployment, 'web', { spec: { template: template('web', { image: 'web:2' }) } })
  await here.clock.advance(20_000)
  expect(await readyOf('web')).toBe(3)
  expect((await eventsOf('FailedCreate'))[0]).toMatch(
    /exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3/,
  )
  const found = await here.get(Deployment, 'web', 'default')
  expect(found && conditionOf(deploymentStatusOf(found).conditions, 'ReplicaFailure')).toMatchObject({
    status: 'True',
    reason: 'FailedCreate',
  })
  await change({ ...PriorityClass, ...resourceQuotas, scope: 'Namespaced' }, 'q', { spec: { hard: { pods: '4' } } })
  await until(async () => {
    const now = await here.get(Deployment, 'web', 'default')
    return now !== undefined && deploymentStatusOf(now).updatedReplicas === 3 && (await list(Pod)).length === 3
  }, 600_000)
})

test('when a node is lost its Pods come back elsewhere, the important ones first', async () => {
  for (const [name, value] of [
    ['high', 1_000],
    ['low', 10],
  ] as const)
    await create(PriorityClass, { metadata: { name }, value })
  const needs = (priorityClassName: string, cpu: string) => ({
    spec: { priorityClassName, containers: [{ name: 'main', image: 'web:1', resources: { requests: { cpu } } }] },
  })
  // Both nodes are nearly full: what is lost with one of them does not fit beside what is on the other.
  await create(Deployment, { ...deployment('batch', 2, { ...needs('low', '7') }) })
  await create(Deployment, { ...deployment('shop', 2, { ...needs('high', '7') }) })
  await until(async () => (await readyOf('batch')) === 2 && (await readyOf('shop')) === 2)
  expect(await places()).toEqual(['batch on infra', 'batch on workload', 'shop on infra', 'shop on workload'])
  await setNode('workload', 'lost')
  await until(isReady('shop', 1), 600_000)
  await until(isReady('shop', 2), 600_000)
  const now = await places()
  expect(now.filter((one) => one === 'shop on infra')).toHaveLength(2)
  // The less important ones made room, and wait.
  expect(now.filter((one) => one === 'batch on infra')).toEqual([])
  expect((await eventsOf('Preempted')).length).toBe(1)
  expect((await eventsOf('FailedScheduling')).some((one) => one.startsWith('0/3 nodes are available: '))).toBe(true)
  await setNode('workload', null)
  await until(isReady('batch', 2), 600_000)
  expect((await places()).filter((one) => one.endsWith('going'))).toEqual([])
})

test('preemption spares what a budget protects as long as something else can make room', async () => {
  await create(PriorityClass, { metadata: { name: 'high' }, value: 1_000 })
  const container = { name: 'main', image: 'web:1', resources: { requests: { cpu: '12' } } }
  const on = (pool: string) => ({ spec: { nodeSelector: { 'idp.dev/pool': pool }, containers: [container] } })
  await create(Deployment, { ...deployment('kept', 1, on('infra')) })
  await create(Deployment, { ...deployment('spare', 1, on('workload')) })
  await create(PodDisruptionBudget, {
    metadata: { name: 'kept' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } },
  })
  await until(async () => (await readyOf('kept')) === 1 && (await readyOf('spare')) === 1)
  await create(Pod, {
    metadata: { name: 'urgent', labels: { app: 'urgent' } },
    spec: { priorityClassName: 'high', containers: [container] },
  })
  await until(
    async () =>
      podStatusOf((await here.get(Pod, 'urgent', 'default')) ?? { apiVersion: '', kind: '', metadata: {} }).phase ===
      'Running',
  )
  const now = await places()
  expect(now).toContain('kept on infra')
  expect(now).toContain('urgent on workload')
  expect(now).toContain('spare on none')
})

test('a node is drained as its budgets allow, and takes Pods again when it is told so', async () => {
  await create(Deployment, { ...deployment('web', 4) })
  await create(PodDisruptionBudget, {
    metadata: { name: 'web' },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
  })
  await until(isReady('web', 4))
  await change(Node, 'workload', { spec: { unschedulable: true } })
  await until(async () =>
    (await list(PodDisruptionBudget)).every((one) => at(one, 'status', 'disruptionsAllowed') === 1),
  )
  const there = (await list(Pod))
    .filter((pod) => at(pod, 'spec', 'nodeName') === 'workload')
    .map(({ metadata }) => metadata.name ?? '')
  expect(there).toHaveLength(2)
  const answers: string[] = []
  for (const name of there) answers.push(await evict(name))
  // The second one has to wait for the first to be replaced.
  expect(answers).toEqual(['gone', 'TooManyRequests'])
  await until(async () => (await evict(there[1] ?? '')) === 'gone')
  await until(async () => (await readyOf('web')) === 4 && (await places()).every((one) => one === 'web on infra'))
  await change(Node, 'workload', { spec: { unschedulable: null } })
  await change(Deployment, 'web', { spec: { replicas: 6 } })
  await until(isReady('web', 6))
  expect((await places()).filter((one) => one === 'web on workload').length).toBeGreaterThan(0)
})

test('lifeboat: what tolerates the control plane survives the loss of both other nodes', async () => {
  await create(PriorityClass, { metadata: { name: 'platform' }, value: 100_000 })
  const toControlPlane = { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }
  await create(Deployment, {
    ...deployment('gateway', 2, { spec: { priorityClassName: 'platform', tolerations: [toControlPlane] } }),
  })
  await create(Deployment, { ...deployment('shop', 2) })
  await until(async () => (await readyOf('gateway')) === 2 && (await readyOf('shop')) === 2)
  await setNode('infra', 'lost')
  await setNode('workload', 'lost')
  await until(isReady('gateway', 1), 600_000)
  await until(isReady('gateway', 2), 900_000)
  await here.clock.advance(60_000)
  const now = await places()
  expect(now.filter((one) => one === 'gateway on control-plane')).toHaveLength(2)
  expect(now.filter((one) => one.startsWith('shop') && !one.endsWith('going'))).toEqual([
    'shop on none',
    'shop on none',
  ])
  expect(
    (await eventsOf('FailedScheduling')).some((one) =>
      /untolerated taint \{node-role.kubernetes.io\/control-plane: \}/.test(one),
    ),
  ).toBe(true)
})

test('a namespace goes with all that runs in it, and its volumes with its claims', async () => {
  const inTeam = { namespace: 'team' }
  await create(Namespace, { metadata: { name: 'team' } })
  await until(async () => (await here.names(ServiceAccount, 'team')).length === 1)
  await here.create(Deployment, { ...deployment('web', 2), metadata: { name: 'web', ...inTeam } })
  await here.create(StatefulSet, {
    metadata: { name: 'db', ...inTeam },
    spec: {
      replicas: 2,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: template('db', { annotations: { 'simulate.idp.dev/main': 'stop=5s' } }),
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  })
  const containers = [{ name: 'main', image: 'work:1' }]
  const work = { metadata: { annotations: { 'simulate.idp.dev/main': 'exit=0 after=1h' } } }
  await here.create(Job, {
    metadata: { name: 'work', ...inTeam },
    spec: { parallelism: 2, template: { ...work, spec: { restartPolicy: 'Never', containers } } },
  })
  await until(async () => (await list(PersistentVolume)).length === 2 && (await here.names(Pod, 'team')).length === 6)
  const gone = await here.client.delete({ resource: Namespace, name: 'team' })
  expect(gone.ok).toBe(true)
  await until(async () => (await here.get(Namespace, 'team')) === undefined, 300_000)
  await until(async () => (await list(PersistentVolume)).length === 0)
  for (const kind of [Pod, Job, StatefulSet, PersistentVolumeClaim]) expect(await here.names(kind, 'team')).toEqual([])
})

test.each([
  {
    name: 'in spring an hour is left out',
    from: '2026-03-28T00:00:00Z',
    days: 3,
    want: ['03-28T01:30', '03-30T00:30'],
  },
  {
    name: 'in autumn an hour comes twice',
    from: '2026-10-24T00:00:00Z',
    days: 2,
    want: ['10-24T00:30', '10-25T00:30', '10-25T01:30'],
  },
])('a CronJob follows the clock of its zone: $name', async ({ from, days, want }) => {
  await here.stop()
  // Nodes would tell over and over that they live.
  here = await world({ controllers: 'cronjob', startMs: Date.parse(from) })
  const containers = [{ name: 'main', image: 'work:1' }]
  const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers } } } }
  const spec = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin', jobTemplate }
  await create(CronJob, { metadata: { name: 'night' }, spec })
  await here.clock.advance(days * 86_400_000)
  const times = (await list(Job)).map(
    ({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'],
  )
  expect(times.map((time) => time?.slice(5, 16) ?? '').toSorted((a, b) => (a < b ? -1 : 1))).toEqual(want)
})
