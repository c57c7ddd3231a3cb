import { expect, test } from 'vitest'
import { parseYaml } from '../../lib/yaml.ts'
import { parseNodeSettings } from './node-pools.ts'

const read = (yaml: string): ReturnType<typeof parseNodeSettings> => {
  const parsed = parseYaml(yaml)
  if (!parsed.ok) throw new Error(yaml)
  return parseNodeSettings(parsed.value)
}

test('pools become nodes with their role, labels, taints, capacity and runtime', () => {
  const settings = read(`
dnsSuffix: read by somebody else
nodes:
  - { name: control-plane, role: control-plane }
  - name: batch
    count: 2
    role: worker
    capacity: { cpu: 8, memory: 32Gi, pods: 20, example.com/gpu: 1 }
    labels: { topology.kubernetes.io/zone: a }
    taints: [{ key: dedicated, value: batch, effect: NoSchedule }]
    runtime: process
simulation:
  missingImages: ['*:broken']
  rules: [{ pull: fail }]
`)
  if (!settings.ok) throw new Error(JSON.stringify(settings.error))
  const { nodes, missingImages, rules } = settings.value
  const role = 'node-role.kubernetes.io/control-plane'
  const batch = {
    labels: { 'idp.dev/pool': 'batch', 'node-role.kubernetes.io/worker': '', 'topology.kubernetes.io/zone': 'a' },
    taints: [{ key: 'dedicated', value: 'batch', effect: 'NoSchedule' }],
    cpu: '8',
    memory: '32Gi',
    pods: 20,
    resources: { 'example.com/gpu': '1' },
    runtime: 'process',
  }
  expect(nodes).toEqual([
    {
      name: 'control-plane',
      labels: { 'idp.dev/pool': 'control-plane', [role]: '' },
      taints: [{ key: role, effect: 'NoSchedule' }],
    },
    { name: 'batch-1', ...batch },
    { name: 'batch-2', ...batch },
  ])
  expect(missingImages).toEqual(['*:broken'])
  expect(rules).toHaveLength(1)
})

test.each(['', '{}', 'dnsSuffix: x'])('%j says nothing of nodes', (yaml) =>
  expect(read(yaml)).toEqual({ ok: true, value: {} }),
)

test('a control plane can be told to take everything', () => {
  const settings = read('nodes: [{ name: one, role: control-plane, taints: [] }]')
  expect(settings.ok && settings.value.nodes?.[0]?.taints).toEqual([])
})

test.each([
  ['a', ': must be an object with `nodes` or `simulation`'],
  ['nodes: 3', 'nodes: must be a list of pools, with one at least'],
  ['nodes: [{ name: A }]', 'nodes[0].name: a lowercase RFC 1123 label'],
  ['nodes: [{ count: 1 }]', 'nodes[0].name: '],
  [
    'nodes: [{ name: a, cpu: 3 }]',
    'nodes[0].cpu: is not known; there are name, count, role, capacity, labels, taints, runtime',
  ],
  ['nodes: [{ name: a, count: -1 }]', 'nodes[0].count: must be a whole number from 0 to 2000'],
  ['nodes: [{ name: a }, { name: a }]', 'nodes: two nodes are called "a"'],
  ['nodes: [{ name: a, count: 2 }, { name: a-1 }]', 'nodes: two nodes are called "a-1"'],
  ['nodes: [{ name: a, count: 1500 }, { name: b, count: 1500 }]', 'nodes: there are more than 2000 nodes'],
  ['nodes: [{ name: a, capacity: { cpu: lots } }]', 'nodes[0].capacity.cpu: must be an amount such as 8 or 32Gi'],
  ['nodes: [{ name: a, capacity: { pods: 500 } }]', 'nodes[0].capacity.pods: must be a whole number up to 250'],
  ['nodes: [{ name: a, labels: { enabled: true } }]', 'nodes[0].labels.enabled: must be a text; put it in quotes'],
  [
    'nodes: [{ name: a, taints: [{ key: x, effect: Never }] }]',
    'nodes[0].taints[0].effect: must be one of NoSchedule, PreferNoSchedule, NoExecute',
  ],
  ['simulation: { rule: [] }', 'simulation.rule: is not known; there are rules, missingImages'],
  ['simulation: { rules: [{ x: 1 }] }', 'simulation.rules[0].x: is no field of a rule'],
])('%s is refused', (yaml, want) => {
  const settings = read(yaml)
  expect(
    settings.ok ? 'it was taken' : settings.error.map(({ at, message }) => `${at}: ${message}`).join('\n'),
  ).toContain(want)
})
