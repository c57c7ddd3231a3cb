import type { Client } from '../kube/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Controller } from '../runtime/controller.ts'
import type { EventRecorder } from '../runtime/event-recorder.ts'
import type { Informers } from '../runtime/informers.ts'
import { cronJobController } from './cronjob/controller.ts'
import { daemonSetController } from './daemonset/controller.ts'
import { deploymentController } from './deployment/controller.ts'
import { jobController, orphanedJobPodsController } from './job/controller.ts'
import { nodesController, podAgentController } from './node-agent/controller.ts'
import type { NodeAgentOptions } from './node-agent/node-agent.ts'
import { nodeLifecycleController } from './node-lifecycle/controller.ts'
import { type Caches, makeCaches } from './pods/caches.ts'
import type { WorkloadPorts } from './pods/ports.ts'
import { replicaSetController } from './replicaset/controller.ts'
import { schedulerController } from './scheduler/controller.ts'
import { statefulSetController } from './statefulset/controller.ts'
import { taintEvictionController } from './taint-eviction/controller.ts'
import { volumeControllers } from './volumes/controller.ts'

/** What the controllers of workloads are made with. */
export interface WorkloadWiring {
  readonly client: Client
  readonly clock: Clock
  readonly informers: Informers
  /** The recorder that tells in the name of a component. */
  readonly events: (component: string) => EventRecorder
  readonly nodeAgent?: NodeAgentOptions
}

/** One entry of the list: a name, what it does, and how it is made. */
export interface WorkloadController {
  readonly name: string
  readonly does: string
  readonly controllers: (wiring: WorkloadWiring) => readonly Controller[]
}

const cachesOf = new WeakMap<Informers, Caches>()

/** The ports of a controller that tells Events in a component's name; the caches are the same for all. */
function portsOf(wiring: WorkloadWiring, component: string): WorkloadPorts {
  const { client, clock, informers, events } = wiring
  const caches = cachesOf.get(informers) ?? makeCaches(informers)
  cachesOf.set(informers, caches)
  return { client, clock, caches, events: events(component) }
}

/** What runs things: the kinds that make Pods, what places them, and what pretends to run them. */
export const workloadControllers: readonly WorkloadController[] = [
  {
    name: 'deployment',
    does: 'rolls the present template of each Deployment out',
    controllers: (wiring) => [deploymentController(portsOf(wiring, 'deployment-controller'))],
  },
  {
    name: 'replicaset',
    does: 'keeps as many Pods as each ReplicaSet asks for',
    controllers: (wiring) => [replicaSetController(portsOf(wiring, 'replicaset-controller'))],
  },
  {
    name: 'daemonset',
    does: 'keeps one Pod on every node that each DaemonSet wants',
    controllers: (wiring) => [daemonSetController(portsOf(wiring, 'daemonset-controller'))],
  },
  {
    name: 'statefulset',
    does: 'keeps the numbered Pods of each StatefulSet, with their names and volumes',
    controllers: (wiring) => [statefulSetController(portsOf(wiring, 'statefulset-controller'))],
  },
  {
    name: 'job',
    does: 'runs the Pods of each Job until enough have succeeded or too many have failed',
    controllers: (wiring) => {
      const ports = portsOf(wiring, 'job-controller')
      return [jobController(ports), orphanedJobPodsController(ports)]
    },
  },
  {
    name: 'cronjob',
    does: 'starts the Jobs of each CronJob when their time comes',
    controllers: (wiring) => [cronJobController(portsOf(wiring, 'cronjob-controller'))],
  },
  {
    name: 'volumes',
    does: 'binds claims to volumes, makes volumes of the built-in classes, and reclaims them',
    controllers: (wiring) => volumeControllers(portsOf(wiring, 'persistentvolume-controller')),
  },
  {
    name: 'scheduler',
    does: 'places Pods on nodes, and makes room for the more important ones',
    controllers: (wiring) => [schedulerController(portsOf(wiring, 'default-scheduler'))],
  },
  {
    name: 'node-lifecycle',
    does: 'notices nodes that fall silent, and taints nodes in trouble',
    controllers: (wiring) => [nodeLifecycleController(portsOf(wiring, 'node-controller'))],
  },
  {
    name: 'taint-eviction',
    does: 'sends Pods away from nodes whose taints they do not tolerate',
    controllers: (wiring) => [taintEvictionController(portsOf(wiring, 'taint-eviction-controller'))],
  },
  {
    name: 'node-agent',
    does: 'registers the declared nodes and pretends to run their Pods',
    controllers: (wiring) => {
      const ports = portsOf(wiring, 'kubelet')
      return [nodesController(ports, wiring.nodeAgent), podAgentController(ports, wiring.nodeAgent)]
    },
  },
]
