import type { KubeObject } from '../../kube/object.ts'
import { podPhaseOf, podSpecOf } from '../../kube/pod.ts'
import type { Controller, Watch } from '../../runtime/controller.ts'
import type { Informer } from '../../runtime/informer.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import { isReady } from '../pods/pod-state.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { Addresses } from './addresses.ts'
import { applyPod } from './apply.ts'
import { needKey } from './needs.ts'
import { declarations, type NodeAgentOptions } from './node-agent.ts'
import { observePod } from './observe.ts'
import { planPod } from './plan.ts'
import { holdsRules, liveRules } from './simulated/live-rules.ts'
import { usualNodes } from './declared-nodes.ts'
import type { Runtime } from './runtime.ts'
import { isLost, observeNode, tendNode } from './tend-node.ts'

/** Runs the Pods of the declared nodes by pretending. */
export function podAgentController(ports: WorkloadPorts, options: NodeAgentOptions = {}): Controller {
  const { caches } = ports
  const { nodes, runtimes } = declarations(options, (rules) => liveRules(ports, rules))
  const names = new Map(nodes.map((node) => [node.name, node]))
  const declared = {
    nodes: names,
    runtimes,
    addresses: new Addresses(
      caches.pods,
      nodes.map(({ name }) => name),
    ),
  }
  /** Pods that have not started for want of something; the others have what they need. */
  const needersOf =
    (kind: string) =>
    ({ metadata }: KubeObject): readonly string[] =>
      caches.pods.cache
        .by('needs', needKey(kind, metadata.namespace ?? '', metadata.name ?? ''))
        .flatMap((pod) => (podPhaseOf(pod) === 'Running' && isReady(pod) ? [] : [keyOf(pod)]))
  return {
    name: 'node-agent',
    concurrency: 16,
    watches: [
      { informer: caches.pods, keys: (pod) => (names.has(podSpecOf(pod).nodeName ?? '') ? [keyOf(pod)] : []) },
      {
        informer: caches.nodes,
        keys: (node, { previous }) =>
          previous && isLost(previous) !== isLost(node) && names.has(node.metadata.name ?? '')
            ? caches.pods.cache.by('node', node.metadata.name ?? '').map(keyOf)
            : [],
      },
      {
        informer: caches.configMaps,
        keys: (map) =>
          holdsRules(map)
            ? [...names.keys()].flatMap((name) => caches.pods.cache.by('node', name).map(keyOf))
            : needersOf('ConfigMap')(map),
      },
      { informer: caches.secrets, keys: needersOf('Secret') },
      { informer: caches.claims, keys: needersOf('PersistentVolumeClaim') },
      ...[...runtimes.values()].flatMap((runtime) => (runtime.listen ? [watchOf(runtime, caches.pods)] : [])),
    ],
    async reconcile(key, context) {
      const seen = observePod(key, ports, declared)
      const runtime = seen && runtimes.get(seen.runtimeName)
      return seen ? applyPod(planPod(seen), seen, { ...ports, runtime }, context) : done
    },
  }
}

/** A runtime tells of runs that changed by themselves, by the key of their Pod. */
function watchOf(runtime: Runtime, pods: Informer): Watch {
  return {
    informer: {
      synced: (signal) => pods.synced(signal),
      listen: (listener) =>
        runtime.listen?.((key) => {
          const object = pods.cache.get(key)
          if (object) listener({ type: 'changed', key, object })
        }) ?? (() => {}),
    },
    keys: (pod) => [keyOf(pod)],
  }
}

/** Registers the declared nodes, and says that they live. */
export function nodesController(ports: WorkloadPorts, options: NodeAgentOptions = {}): Controller {
  const { caches } = ports
  const { nodes = usualNodes } = options
  const names = nodes.map(({ name }) => name)
  const addresses = new Addresses(caches.pods, names)
  const ours = new Set(names)
  const registered = new Set<string>()
  return {
    name: 'nodes',
    watches: [
      {
        informer: {
          synced: (signal) => caches.nodes.synced(signal),
          // Nodes that are not there yet are to be made: every declared one is a key from the start.
          listen(listener) {
            for (const name of names)
              listener({
                type: 'added',
                key: `/${name}`,
                object: { apiVersion: 'v1', kind: 'Node', metadata: { name } },
              })
            return caches.nodes.listen(listener)
          },
        },
        keys: (node) => (ours.has(node.metadata.name ?? '') ? [keyOf(node)] : []),
      },
    ],
    reconcile: (key, context) => tendNode(observeNode(key, nodes, addresses, ports), registered, ports, context),
  }
}
