import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCluster } from '../../src/apiserver/cluster.ts'
import { MASTERS } from '../../src/apiserver/auth/attributes.ts'
import { openState } from '../../src/apiserver/state.ts'
import type { Client } from '../../src/kube/client.ts'
import { conditionOf } from '../../src/kube/condition.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { makeControllers } from '../../src/runtime/running-controllers.ts'
import { clusterControllers } from '../../src/workloads/cluster-controllers.ts'
import type { DeclaredNode } from '../../src/workloads/node-agent/declared-nodes.ts'
import { Deployment, Namespace, Node, Pod } from '../../src/workloads/pods/kinds.ts'
import { podStatusOf } from '../../src/workloads/pods/pod-state.ts'
import { demandOf } from '../../src/workloads/scheduler/demand.ts'
import { nodeState, withPod } from '../../src/workloads/scheduler/node.ts'
import { planPlacement } from '../../src/workloads/scheduler/plan.ts'
import type { Area, Figure } from '../figure.ts'

const DEPLOYMENTS = 1_000
const REPLICAS = 3
const NODES = 50
const NAMESPACES = 20
const admin = { username: 'bench', groups: [MASTERS] }

type Report = (figure: Figure) => void

/** Deployments that become Ready on simulated nodes, and how fast Pods are placed. */
export const workloads: Area = {
  name: 'workloads',
  async run(report) {
    placements(report)
    await converge(report)
  },
}

const nodes: readonly DeclaredNode[] = Array.from({ length: NODES }, (_, at) => ({
  name: `node-${String(at).padStart(3, '0')}`,
  labels: { 'topology.kubernetes.io/zone': `zone-${at % 3}` },
}))

function deploymentNamed(at: number): KubeObject {
  const labels = { app: `web-${at}` }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `web-${at}`, namespace: `team-${at % NAMESPACES}`, labels },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  }
}

const container = {
  name: 'app',
  image: 'registry.local/web:1.0',
  ports: [{ containerPort: 8080 }],
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
}

/** The decision alone: no cache, no write. */
function placements(report: Report): void {
  const states = new Map(
    nodes.map(({ name, labels = {} }) => [
      name,
      nodeState({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels },
        status: { allocatable: { cpu: '16', memory: '64Gi', pods: '110' } },
      }),
    ]),
  )
  const count = DEPLOYMENTS * REPLICAS
  const demands = Array.from({ length: count }, (_, at) =>
    demandOf({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `web-${at}`, namespace: `team-${at % NAMESPACES}`, labels: { app: `web-${at % DEPLOYMENTS}` } },
      spec: { containers: [container] },
    }),
  )
  const began = performance.now()
  for (const demand of demands) {
    const placement = planPlacement(demand, { nodes: [...states.values()], namespaceLabels: () => undefined })
    const state = placement.do === 'bind' ? states.get(placement.node) : undefined
    if (!state) throw new Error(`a Pod found no node: ${placement.because}`)
    states.set(state.name, withPod(state, demand))
  }
  const value = (count * 1_000) / (performance.now() - began)
  report({ name: `placements on ${NODES} nodes, the decision alone`, value, unit: 'decisions/s', budget: '2,000/s' })
}

interface Seen {
  ready: number
  firstBoundMs: number
  lastBoundMs: number
  bound: number
  lastReadyMs: number
}

/** Counts Pods as they are bound and become Ready. */
async function follow(client: Client, seen: Seen, signal: AbortSignal): Promise<void> {
  const known = new Map<string, 'bound' | 'ready'>()
  const watch = client.watch({ resource: Pod }, { resourceVersion: '0', signal })
  for await (const event of watch) {
    if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue
    const key = event.object.metadata.uid ?? ''
    const { nodeName } = (event.object['spec'] ?? {}) as { readonly nodeName?: string }
    if (nodeName && !known.has(key)) {
      known.set(key, 'bound')
      seen.bound += 1
      seen.firstBoundMs ||= performance.now()
      seen.lastBoundMs = performance.now()
    }
    const isReady = conditionOf(podStatusOf(event.object).conditions, 'Ready')?.status === 'True'
    if (!isReady || known.get(key) === 'ready') continue
    known.set(key, 'ready')
    seen.ready += 1
    seen.lastReadyMs = performance.now()
  }
}

/** The whole cluster in this process, on a durable store: from the first create to the last Pod Ready. */
async function converge(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-workloads-'))
  const opened = await openState(join(folder, 'state'))
  if (!opened.ok) throw new Error(JSON.stringify(opened.error))
  const { store, tokenKeys } = opened.value
  const ports = { clock: systemClock, ids: systemIds, log: silentLog }
  const { server } = makeCluster({ store, tokenKeys, ...ports })
  await server.start()
  const client = server.client(admin)
  const controllers = makeControllers(clusterControllers, { client, ...ports, nodeAgent: { nodes } })
  const stopping = new AbortController()
  const running = controllers.run(stopping.signal)
  for (let at = 0; at < NAMESPACES; at++)
    await done(
      client.create({ resource: Namespace }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `team-${at}` } }),
    )
  await until(async () => (await items(client, Node)).length === NODES)
  await until(async () => (await items(client, ServiceAccount)).length >= NAMESPACES)
  const seen: Seen = { ready: 0, bound: 0, firstBoundMs: 0, lastBoundMs: 0, lastReadyMs: 0 }
  const following = follow(client, seen, stopping.signal).catch(() => {})
  const cpu = process.cpuUsage()
  const began = performance.now()
  for (let at = 0; at < DEPLOYMENTS; at += 20) {
    const batch = Array.from({ length: 20 }, (_, next) => deploymentNamed(at + next))
    await Promise.all(
      batch.map((one) => client.create({ resource: Deployment, namespace: one.metadata.namespace ?? '' }, one)),
    )
  }
  const createdMs = performance.now() - began
  await until(async () => seen.ready >= DEPLOYMENTS * REPLICAS)
  const readyMs = seen.lastReadyMs - began
  const available = (one: KubeObject): boolean =>
    (one['status'] as { readonly availableReplicas?: number } | undefined)?.availableReplicas === REPLICAS
  await until(async () => (await items(client, Deployment)).filter(available).length === DEPLOYMENTS)
  const settledMs = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  const what = `${DEPLOYMENTS} Deployments x ${REPLICAS} Pods on ${NODES} nodes`
  report({ name: `${what}: all created`, value: createdMs / 1_000, unit: 's' })
  report({ name: `${what}: all Pods Ready`, value: readyMs / 1_000, unit: 's', budget: '20 s' })
  report({ name: `${what}: all Deployments say so`, value: settledMs / 1_000, unit: 's' })
  report({ name: 'CPU until then', value: (user + system) / 1e6, unit: 's' })
  report({ name: 'resident memory', value: process.memoryUsage.rss() / 2 ** 20, unit: 'MB' })
  report({
    name: 'Pods bound, first to last',
    value: (seen.bound * 1_000) / (seen.lastBoundMs - seen.firstBoundMs),
    unit: 'binds/s',
  })
  // Events are told after the work.
  await until(async () => {
    const before = store.revision
    await systemClock.sleep(1_000)
    return store.revision - before < 100
  })
  report({ name: `${what}: nothing left to write`, value: (performance.now() - began) / 1_000, unit: 's' })
  const idle = process.cpuUsage()
  await systemClock.sleep(10_000)
  const after = process.cpuUsage(idle)
  report({ name: 'CPU at rest', value: ((after.user + after.system) / 1e7) * 100, unit: '% of a core' })
  stopping.abort()
  await running
  await following
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}

const ServiceAccount = { group: '', version: 'v1', plural: 'serviceaccounts' }

async function done(answer: ReturnType<Client['create']>): Promise<void> {
  const made = await answer
  if (!made.ok) throw new Error(made.error.message)
}

async function items(client: Client, resource: { group: string; version: string; plural: string }) {
  const listed = await client.list({ resource })
  return listed.ok ? listed.value.items : []
}

async function until(fact: () => Promise<boolean>): Promise<void> {
  while (!(await fact())) await systemClock.sleep(100)
}
