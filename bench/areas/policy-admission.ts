import { newSigningKey, readTokenKeys } from '../../src/apiserver/auth/service-account-tokens.ts'
import { MASTERS } from '../../src/apiserver/auth/attributes.ts'
import { makeCluster } from '../../src/apiserver/cluster.ts'
import type { Client } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { packedCrds } from '../../src/kube/schema/packed-crds.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { readData } from '../../src/lib/data-file.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { metricsRegistry } from '../../src/lib/metrics.ts'
import { makePolicies } from '../../src/policy/policies.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import { type Figure, percentile } from '../figure.ts'

const match = { any: [{ resources: { kinds: ['Pod'] } }] }
const each = (name: string, rule: object): KubeObject => ({
  apiVersion: 'kyverno.io/v1',
  kind: 'ClusterPolicy',
  metadata: { name },
  spec: { rules: [{ name, match, ...rule }] },
})
const validate = (name: string, check: object): KubeObject =>
  each(name, { validate: { failureAction: 'Enforce', message: name, ...check } })

/** Sixteen policies as a platform has them: twelve that judge, four that change. */
const policies: readonly KubeObject[] = [
  validate('tags', { pattern: { spec: { containers: [{ image: '*:*' }] } } }),
  validate('no-latest', { pattern: { spec: { containers: [{ image: '!*:latest' }] } } }),
  validate('limits', { pattern: { spec: { containers: [{ resources: { limits: { memory: '?*', cpu: '?*' } } }] } } }),
  validate('labels', { pattern: { metadata: { labels: { 'app.kubernetes.io/name': '?*', team: '?*' } } } }),
  validate('no-privileged', {
    pattern: { spec: { containers: [{ '=(securityContext)': { '=(privileged)': 'false' } }] } },
  }),
  validate('no-host', { pattern: { spec: { '=(hostNetwork)': 'false', '=(hostPID)': 'false' } } }),
  validate('no-host-path', { pattern: { spec: { '=(volumes)': [{ 'X(hostPath)': 'null' }] } } }),
  validate('registry', { pattern: { spec: { containers: [{ image: 'registry.example.com/*' }] } } }),
  validate('memory', {
    foreach: [
      {
        list: 'request.object.spec.containers',
        deny: {
          conditions: {
            any: [{ key: '{{ element.resources.limits.memory }}', operator: 'GreaterThan', value: '4Gi' }],
          },
        },
      },
    ],
  }),
  validate('no-default', {
    deny: { conditions: { any: [{ key: '{{ request.namespace }}', operator: 'Equals', value: 'forbidden' }] } },
  }),
  validate('baseline', { podSecurity: { level: 'baseline', version: 'latest' } }),
  validate('probes', {
    anyPattern: [{ metadata: { labels: { team: '?*' } } }, { spec: { containers: [{ livenessProbe: {} }] } }],
  }),
  each('add-owner', { mutate: { patchStrategicMerge: { metadata: { labels: { '+(owner)': 'platform' } } } } }),
  each('pull-policy', {
    mutate: {
      patchStrategicMerge: { spec: { containers: [{ '(name)': '*', '+(imagePullPolicy)': 'IfNotPresent' }] } },
    },
  }),
  each('add-namespace', {
    mutate: { patchStrategicMerge: { metadata: { annotations: { from: '{{ request.namespace }}' } } } },
  }),
  each('no-mount', { mutate: { patchStrategicMerge: { spec: { '+(automountServiceAccountToken)': false } } } }),
]

const pod = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { 'app.kubernetes.io/name': 'web', team: 'blue' } },
  spec: {
    containers: [0, 1].map((index) => ({
      name: `c${index}`,
      image: `registry.example.com/team/app-${index}:1.2`,
      resources: { limits: { cpu: '500m', memory: '256Mi' } },
    })),
  },
})

const admin = { username: 'admin', groups: [MASTERS] }
const CLIENTS = 50
const REQUESTS = 4_000

async function cluster(withPolicies: boolean): Promise<Client> {
  const parts = { clock: systemClock, ids: systemIds, log: silentLog }
  const made = makeCluster({
    ...parts,
    store: memoryStore(),
    tokenKeys: readTokenKeys([newSigningKey()]),
    admission: (source) =>
      makePolicies({ ...parts, metrics: metricsRegistry(), source, clientAs: (user) => made.server.client(user) })
        .admission,
  })
  await made.server.start()
  const client = made.server.client(admin)
  await client.create(
    { resource: { group: '', version: 'v1', plural: 'serviceaccounts' }, namespace: 'default' },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  )
  if (!withPolicies) return client
  const definitions = {
    resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
  }
  for (const definition of packedCrds(readData, 'kyverno')) await client.create(definitions, definition)
  for (const policy of policies) {
    const answer = await client.create(
      { resource: { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' } },
      policy,
    )
    if (!answer.ok) throw new Error(answer.error.message)
  }
  return client
}

/** How long each write took when fifty clients write at once, each its next one after the last. */
async function writes(client: Client): Promise<readonly number[]> {
  const pods = { resource: { group: '', version: 'v1', plural: 'pods' }, namespace: 'default' }
  const took: number[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let number = next++; number < REQUESTS; number = next++) {
      const began = performance.now()
      const answer = await client.create(pods, pod(`p${number}`), { dryRun: true })
      took.push(performance.now() - began)
      if (!answer.ok) throw new Error(answer.error.message)
      // A client hears its answer before it asks again.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, work))
  return took
}

/** Admission in process: creates of Pods through sixteen policies, next to the same creates without any. */
export async function admissionFigures(report: (figure: Figure) => void): Promise<void> {
  const [bare, governed] = [await cluster(false), await cluster(true)]
  await writes(bare)
  await writes(governed)
  const began = performance.now()
  const took = await writes(governed)
  const seconds = (performance.now() - began) / 1_000
  const without = await writes(bare)
  const peers = (share: number): Record<string, number> => ({ 'without policies': percentile(without, share) })
  report({
    name: 'Pod through 16 policies, 50 clients: p50',
    value: percentile(took, 0.5),
    unit: 'ms',
    peers: peers(0.5),
  })
  report({
    name: 'Pod through 16 policies, 50 clients: p99',
    value: percentile(took, 0.99),
    unit: 'ms',
    peers: peers(0.99),
    budget: '5 ms',
  })
  report({ name: 'Pods through 16 policies', value: took.length / seconds, unit: 'writes/s' })
}
