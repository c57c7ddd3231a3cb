import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { NetworkPolicies } from './network-policies.ts'

const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'db-0', namespace: 'data', labels: { app: 'db' } },
  spec: { containers: [{ name: 'db', ports: [{ name: 'sql', containerPort: 5432 }] }] },
}
const source = {
  namespace: 'edge',
  namespaceLabels: { team: 'edge' },
  labels: { 'gateway.networking.k8s.io/gateway-name': 'web' },
  address: '127.0.0.1',
}

/** A policy of the namespace `data` with a spec in YAML. */
function policy(spec: string, namespace = 'data'): KubeObject {
  const read = parseYaml(spec)
  if (!read.ok) throw new Error('not YAML')
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p', namespace },
    spec: read.value,
  }
}

const all = 'podSelector: {}'
const gateway = 'podSelector: {matchLabels: {gateway.networking.k8s.io/gateway-name: web}}'
test.each([
  { name: 'nobody protects', specs: [], want: true },
  { name: 'a policy of another namespace', specs: [], elsewhere: `{${all}}`, want: true },
  { name: 'a policy for other Pods', specs: ['{podSelector: {matchLabels: {app: web}}}'], want: true },
  { name: 'a policy about what goes out', specs: [`{${all}, policyTypes: [Egress]}`], want: true },
  { name: 'a policy that lets nobody in', specs: [`{${all}}`], want: false },
  { name: 'a policy with types that lets nobody in', specs: [`{${all}, policyTypes: [Ingress, Egress]}`], want: false },
  { name: 'a policy that lets everybody in', specs: [`{${all}, ingress: [{}]}`], want: true },
  {
    name: 'one of two that lets it in',
    specs: [`{${all}}`, `{podSelector: {matchLabels: {app: db}}, ingress: [{}]}`],
    want: true,
  },
  { name: 'Pods of the own namespace', specs: [`{${all}, ingress: [{from: [{podSelector: {}}]}]}`], want: false },
  {
    name: 'a namespace by its labels',
    specs: [`{${all}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: edge}}}]}]}`],
    want: true,
  },
  {
    name: 'a namespace by other labels',
    specs: [`{${all}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]}`],
    want: false,
  },
  { name: 'every namespace', specs: [`{${all}, ingress: [{from: [{namespaceSelector: {}}]}]}`], want: true },
  {
    name: 'a namespace and the gateway in it',
    specs: [`{${all}, ingress: [{from: [{namespaceSelector: {}, ${gateway}}]}]}`],
    want: true,
  },
  {
    name: 'a namespace and another gateway in it',
    specs: [`{${all}, ingress: [{from: [{namespaceSelector: {}, ${gateway.replace('web', 'other')}}]}]}`],
    want: false,
  },
  { name: 'a network', specs: [`{${all}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/8}}]}]}`], want: true },
  {
    name: 'a network but for an address',
    specs: [`{${all}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/8, except: [127.0.0.1/32]}}]}]}`],
    want: false,
  },
  {
    name: 'a network of the other kind',
    specs: [`{${all}, ingress: [{from: [{ipBlock: {cidr: "::/0"}}]}]}`],
    want: false,
  },
  {
    name: 'a network that is none',
    specs: [`{${all}, ingress: [{from: [{ipBlock: {cidr: nonsense}}]}]}`],
    want: false,
  },
  { name: 'a peer that says nothing', specs: [`{${all}, ingress: [{from: [{}]}]}`], want: false },
  { name: 'the port', specs: [`{${all}, ingress: [{ports: [{port: 5432}]}]}`], want: true },
  { name: 'the port by its name', specs: [`{${all}, ingress: [{ports: [{port: sql, protocol: TCP}]}]}`], want: true },
  { name: 'a range of ports', specs: [`{${all}, ingress: [{ports: [{port: 5000, endPort: 6000}]}]}`], want: true },
  {
    name: 'another port',
    specs: [`{${all}, ingress: [{ports: [{port: 80}, {port: web}, {port: 5000, endPort: 5431}]}]}`],
    want: false,
  },
  {
    name: 'the port of another protocol',
    specs: [`{${all}, ingress: [{ports: [{port: 5432, protocol: UDP}]}]}`],
    want: false,
  },
  { name: 'every port of TCP', specs: [`{${all}, ingress: [{ports: [{protocol: TCP}]}]}`], want: true },
  {
    name: 'port and peer of different rules',
    specs: [`{${all}, ingress: [{ports: [{port: 80}]}, {from: [{podSelector: {}}]}]}`],
    want: false,
  },
])('$name: let in is $want', ({ specs, elsewhere, want }) => {
  const policies = specs.map((spec) => policy(spec))
  if (elsewhere !== undefined) policies.push(policy(elsewhere, 'other'))
  const refusal = new NetworkPolicies(policies).refusal(source, { pod, port: 5432 })
  expect(refusal === undefined).toBe(want)
  expect(refusal ?? '').toMatch(/^$|the Pod data\/db-0 is protected by NetworkPolicies \(p/)
})
