import { compilePolicy } from '../../src/policy/classic/family.ts'
import type { PolicyWorld } from '../../src/policy/engine/compiled-policy.ts'
import { noFacts } from '../../src/policy/engine/fact.ts'
import { nobody, type PolicyRequest } from '../../src/policy/engine/policy-request.ts'
import { PolicySet } from '../../src/policy/engine/policy-set.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { gvkOf } from '../../src/kube/gvk.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { mergeTable } from '../../src/policy/families.ts'
import { type Figure, perSecond } from '../figure.ts'

const pods = { any: [{ resources: { kinds: ['Pod'] } }] }
const denied = (key: string, value: unknown): object => ({ conditions: { any: [{ key, operator: 'AnyIn', value }] } })

/** Sixteen rules as teams write them: patterns, denials, loops, standards, CEL, a mutation. */
const rules: readonly object[] = [
  { validate: { message: 'tag', pattern: { spec: { containers: [{ image: '!*:latest' }] } } } },
  { validate: { message: 'registry', pattern: { spec: { containers: [{ image: 'registry.example.com/*' }] } } } },
  {
    validate: {
      message: 'limits',
      pattern: { spec: { containers: [{ resources: { limits: { memory: '?*', cpu: '?*' } } }] } },
    },
  },
  {
    validate: {
      message: 'host',
      pattern: { spec: { '=(hostNetwork)': false, '=(hostPID)': false, '=(hostIPC)': false } },
    },
  },
  { validate: { message: 'paths', pattern: { spec: { '=(volumes)': [{ 'X(hostPath)': 'null' }] } } } },
  { validate: { message: 'label', pattern: { metadata: { labels: { 'app.kubernetes.io/name': '?*' } } } } },
  {
    validate: {
      message: 'root',
      anyPattern: [
        { spec: { securityContext: { runAsNonRoot: true } } },
        { spec: { containers: [{ securityContext: { runAsNonRoot: true } }] } },
      ],
    },
  },
  { validate: { message: 'default', deny: denied('{{ request.namespace }}', ['default']) } },
  {
    validate: {
      message: 'owner {{ request.object.metadata.name }}',
      deny: denied("{{ request.object.metadata.labels.owner || 'nobody' }}", ['nobody']),
    },
  },
  {
    validate: {
      message: 'ports',
      foreach: [
        { list: 'request.object.spec.containers[].ports[]', deny: denied('{{ element.containerPort }}', ['1-1023']) },
      ],
    },
  },
  {
    validate: {
      message: 'images',
      foreach: [
        {
          list: 'request.object.spec.containers',
          deny: denied('{{ images.containers."{{element.name}}".registry }}', ['docker.io']),
        },
      ],
    },
  },
  { validate: { podSecurity: { level: 'baseline', version: 'latest' } } },
  { validate: { podSecurity: { level: 'restricted', version: 'latest' } } },
  {
    validate: {
      message: 'count',
      cel: { expressions: [{ expression: 'object.spec.containers.all(c, c.image.contains(":"))' }] },
    },
  },
  {
    preconditions: { all: [{ key: '{{ request.operation }}', operator: 'Equals', value: 'UPDATE' }] },
    validate: { message: 'update', deny: {} },
  },
  { mutate: { patchStrategicMerge: { metadata: { labels: { '+(team)': 'shop' } } } } },
]

function policies(count: number): readonly KubeObject[] {
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: `policy-${String(index).padStart(4, '0')}` },
    spec: { rules: [{ name: 'rule', match: index < 16 ? pods : otherKinds(index), ...rules[index % rules.length] }] },
  }))
}

/** Most policies of a large set are not about Pods. */
const kinds = ['Service', 'Ingress', 'ConfigMap', 'Secret', 'Namespace', 'Pod']
const otherKinds = (index: number): object => ({ any: [{ resources: { kinds: [kinds[index % kinds.length]] } }] })

const pod = (index: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `web-${index}`, namespace: 'shop', labels: { 'app.kubernetes.io/name': 'web', owner: 'a' } },
  spec: {
    securityContext: { runAsNonRoot: true },
    containers: [0, 1].map((number) => ({
      name: `c${number}`,
      image: `registry.example.com/team/app-${index}:1.2.${number}`,
      ports: [{ containerPort: 8080 + number }],
      resources: { limits: { cpu: '500m', memory: '256Mi' } },
    })),
  },
})

const world: PolicyWorld = { facts: noFacts, exceptions: [], now: () => 0, ids: systemIds }

const requestFor = (object: KubeObject): PolicyRequest => ({
  source: 'offline',
  operation: 'CREATE',
  kind: gvkOf(object),
  name: object.metadata.name ?? '',
  namespace: 'shop',
  object,
  user: nobody,
})

const RESOURCES = 10_000

/** Classic policies over many objects, offline. */
export function classicPolicyFigures(report: (figure: Figure) => void): void {
  const objects = Array.from({ length: RESOURCES }, (_, index) => pod(index))
  for (const count of [16, 200]) {
    const set = new PolicySet(policies(count).map((policy) => compilePolicy(policy, mergeTable())))
    let at = 0
    const rate = perSecond(() => {
      const request = requestFor(objects[at++ % RESOURCES] ?? pod(0))
      set.evaluate('mutate', request, world)
      set.evaluate('validate', request, world)
    })
    report({ name: `${count} classic policies over Pods`, value: rate, unit: 'resources/s' })
  }
  const before = process.memoryUsage().heapUsed
  const many = new PolicySet(policies(1_000).map((policy) => compilePolicy(policy, mergeTable())))
  for (let index = 0; index < 100; index++) many.evaluate('validate', requestFor(objects[index] ?? pod(0)), world)
  report({ name: 'heap of 1000 classic policies', value: (process.memoryUsage().heapUsed - before) / 1e6, unit: 'MB' })
  report({ name: 'RSS with 1000 classic policies', value: process.memoryUsage().rss / 1e6, unit: 'MB' })
}
