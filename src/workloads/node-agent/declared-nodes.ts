import type { KubeObject } from '../../kube/object.ts'
import type { Taint } from '../scheduler/node.ts'
import { formatTime } from '../../kube/time.ts'

/** A node that the embedded cluster pretends to have. */
export interface DeclaredNode {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly cpu?: string
  readonly memory?: string
  readonly pods?: number
  /** Amounts of anything else, such as devices. */
  readonly resources?: Readonly<Record<string, string>>
  /** What runs its Pods that ask for nothing else; `simulated` when it does not say. */
  readonly runtime?: string
}

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane'

/** A control plane, a place for the platform and a place for what runs on it. */
export const usualNodes: readonly DeclaredNode[] = [
  { name: 'control-plane', labels: { [CONTROL_PLANE]: '' }, taints: [{ key: CONTROL_PLANE, effect: 'NoSchedule' }] },
  { name: 'infra', labels: { 'node-role.kubernetes.io/infra': '', 'idp.dev/pool': 'infra' } },
  { name: 'workload', labels: { 'node-role.kubernetes.io/workload': '', 'idp.dev/pool': 'workload' } },
]

/** What its kubelet would register. */
export function nodeObject(declared: DeclaredNode, index: number, hostIP: string, nowMs: number): KubeObject {
  const { name, labels = {}, taints = [], cpu = '16', memory = '64Gi', pods = 110, resources = {} } = declared
  const amounts = { cpu, memory, 'ephemeral-storage': '200Gi', pods: String(pods), ...resources }
  const cidr = podNetwork(index)
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
        'kubernetes.io/hostname': name,
        ...labels,
      },
    },
    spec: {
      podCIDR: `${cidr}.0/24`,
      podCIDRs: [`${cidr}.0/24`],
      ...(taints.length > 0 ? { taints } : {}),
    },
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: nodeConditions(nowMs),
      addresses: [
        { type: 'InternalIP', address: hostIP },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        architecture: 'amd64',
        bootID: name,
        containerRuntimeVersion: 'simulated://1',
        kernelVersion: 'simulated',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.36.0',
        machineID: name,
        operatingSystem: 'linux',
        osImage: 'simulated',
        systemUUID: name,
      },
    },
  }
}

const pressures = [
  ['MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
] as const

/** What a healthy kubelet says about its node. */
export function nodeConditions(nowMs: number): readonly Readonly<Record<string, string>>[] {
  const at = { lastHeartbeatTime: formatTime(nowMs), lastTransitionTime: formatTime(nowMs) }
  return [
    ...pressures.map(([type, reason, message]) => ({ type, status: 'False', reason, message, ...at })),
    { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status', ...at },
  ]
}

/** The first three numbers of the addresses of a node's Pods: 10.244.x for the first 256 nodes. */
export const podNetwork = (index: number): string => `10.${244 + Math.floor(index / 256)}.${index % 256}`
