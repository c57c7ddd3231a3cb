import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningApi, startApi } from './api-server.ts'
import { runProgram } from './idp.ts'

const SDK = '/usr/lib/google-cloud-sdk/bin'

/** A kubectl of this machine, the newest by its name. */
function findKubectl(): string | undefined {
  const found: string[] = []
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), SDK]) {
    try {
      for (const name of readdirSync(folder)) if (/^kubectl(?:\.1\.\d+)?$/.test(name)) found.push(join(folder, name))
    } catch {
      continue
    }
  }
  const runs = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  }
  return found.filter(runs).toSorted((a, b) => minorOf(b) - minorOf(a))[0]
}

const minorOf = (path: string): number => Number(/\.1\.(\d+)$/.exec(path)?.[1] ?? 0)

/** What somebody does with a Deployment in an afternoon; each step builds on the ones before. */
interface Step {
  readonly run: string
  readonly says: RegExp
  /** A manifest, for `-f -`. */
  readonly input?: object
}

const container = (image: string): object => ({ name: 'main', image })
const workload = (kind: 'StatefulSet' | 'DaemonSet', name: string, spec: object): object => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [container(`${name}:1`)] } },
    ...spec,
  },
})
const numbered = workload('StatefulSet', 'db', { replicas: 2, serviceName: 'db' })
const everywhere = workload('DaemonSet', 'agent', {})

const steps: readonly Step[] = [
  { run: 'wait --for=condition=Ready node/workload --timeout=10s', says: /condition met/ },
  { run: 'get nodes', says: /^control-plane\s+Ready\s+control-plane/m },
  { run: 'wait --for=create serviceaccount/default --timeout=10s', says: /condition met/ },
  { run: 'create deployment web --image=web:1 --replicas=3', says: /deployment.apps\/web created/ },
  { run: 'rollout status deployment/web --timeout=30s', says: /successfully rolled out/ },
  { run: 'get deployment web', says: /^web\s+3\/3\s+3\s+3/m },
  { run: 'get pods -l app=web', says: /^web-\w+-\w+\s+1\/1\s+Running\s+0/m },
  { run: 'set image deployment/web web=web:2', says: /image updated/ },
  { run: 'rollout status deployment/web --timeout=30s', says: /successfully rolled out/ },
  { run: 'rollout history deployment/web', says: /^1 [^]*^2 /m },
  { run: 'rollout undo deployment/web', says: /rolled back/ },
  { run: 'rollout status deployment/web --timeout=30s', says: /successfully rolled out/ },
  { run: 'get deployment web -o jsonpath={.spec.template.spec.containers[0].image}', says: /^web:1$/ },
  { run: 'rollout history deployment/web', says: /^2 [^]*^3 /m },
  { run: 'rollout restart deployment/web', says: /restarted/ },
  { run: 'rollout status deployment/web --timeout=30s', says: /successfully rolled out/ },
  { run: 'scale deployment/web --replicas=5', says: /scaled/ },
  { run: 'wait --for=jsonpath={.status.availableReplicas}=5 deployment/web --timeout=30s', says: /condition met/ },
  { run: 'describe deployment web', says: /ScalingReplicaSet/ },
  { run: 'rollout pause deployment/web', says: /paused/ },
  { run: 'set image deployment/web web=web:3', says: /image updated/ },
  { run: 'get deployment web -o jsonpath={.status.updatedReplicas}', says: /^(5)?$/ },
  { run: 'rollout resume deployment/web', says: /resumed/ },
  { run: 'rollout status deployment/web --timeout=30s', says: /successfully rolled out/ },
  { run: 'get endpoints kubernetes -o jsonpath={.subsets[0].addresses[0].ip}', says: /^127\.0\.0\.1$/ },
  { run: 'get storageclass', says: /^standard \(default\)\s+idp.dev\/host-path/m },
  { run: 'cordon workload', says: /cordoned/ },
  { run: 'get node workload', says: /Ready,SchedulingDisabled/ },
  { run: 'drain workload --ignore-daemonsets --timeout=60s', says: /node\/workload drained/ },
  { run: 'rollout status deployment/web --timeout=30s', says: /successfully rolled out/ },
  { run: 'get pods -l app=web --field-selector=spec.nodeName=workload -o name', says: /^$/ },
  { run: 'uncordon workload', says: /uncordoned/ },
  { run: 'describe node workload', says: /^Taints:\s+<none>|Allocated resources/m },
  { run: 'apply -f -', input: numbered, says: /statefulset.apps\/db created/ },
  {
    run: 'rollout status statefulset/db --timeout=30s',
    says: /roll out complete: 2 new pods/,
  },
  { run: 'set image statefulset/db main=db:2', says: /image updated/ },
  { run: 'rollout status statefulset/db --timeout=30s', says: /roll out complete: 2 new pods/ },
  { run: 'rollout history statefulset/db', says: /^1 [^]*^2 /m },
  { run: 'rollout undo statefulset/db', says: /rolled back/ },
  { run: 'rollout status statefulset/db --timeout=30s', says: /roll out complete: 2 new pods/ },
  { run: 'get pod db-1 -o jsonpath={.spec.containers[0].image}', says: /^db:1$/ },
  { run: 'rollout restart statefulset/db', says: /restarted/ },
  { run: 'rollout status statefulset/db --timeout=30s', says: /roll out complete: 2 new pods/ },
  { run: 'apply -f -', input: everywhere, says: /daemonset.apps\/agent created/ },
  { run: 'rollout status daemonset/agent --timeout=30s', says: /successfully rolled out/ },
  { run: 'get daemonset agent', says: /^agent\s+2\s+2\s+2\s+2\s+2/m },
  { run: 'set image daemonset/agent main=agent:2', says: /image updated/ },
  { run: 'rollout status daemonset/agent --timeout=30s', says: /successfully rolled out/ },
  { run: 'rollout undo daemonset/agent', says: /rolled back/ },
  { run: 'rollout status daemonset/agent --timeout=30s', says: /successfully rolled out/ },
  { run: 'get pods -l app=agent -o jsonpath={.items[*].spec.containers[0].image}', says: /^agent:1 agent:1$/ },
  { run: 'create job once --image=work:1', says: /job.batch\/once created/ },
  { run: 'wait --for=condition=complete job/once --timeout=30s', says: /condition met/ },
  { run: 'delete deployment web --wait=false', says: /deleted/ },
  { run: 'wait --for=delete pod -l app=web --timeout=30s', says: /^|condition met/ },
  { run: 'get pods,replicasets -l app=web -o name', says: /^$/ },
]

const kubectl = findKubectl()
let api: RunningApi
let home: string

beforeAll(async () => {
  api = await startApi({ controllers: 'all' })
  home = mkdtempSync(join(tmpdir(), 'idp-workloads-'))
})
afterAll(async () => {
  await api?.remove()
  if (home) rmSync(home, { recursive: true, force: true })
})

test('a Deployment is rolled out, updated, taken back, scaled and removed with kubectl', async ({ skip }) => {
  skip(kubectl === undefined, 'no kubectl is on PATH or in a known SDK folder')
  const wrong: string[] = []
  for (const { run, says, input } of steps) {
    const ran = await runProgram(kubectl ?? '', [`--cache-dir=${home}/cache`, ...run.split(' ')], {
      input: input ? JSON.stringify(input) : '',
      env: { KUBECONFIG: api.kubeconfig, HOME: home },
    })
    if (ran.code !== 0 || !says.test(ran.stdout)) wrong.push(`kubectl ${run}: ${ran.code}\n${ran.stdout}${ran.stderr}`)
  }
  expect(wrong).toEqual([])
}, 240_000)
