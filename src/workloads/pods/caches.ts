import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { controllerOf } from '../../kube/owner.ts'
import { isFinished, podSpecOf } from '../../kube/pod.ts'
import type { Informer } from '../../runtime/informer.ts'
import type { Informers } from '../../runtime/informers.ts'
import { needKeysOf } from '../node-agent/needs.ts'
import { claimNamesOf } from '../volumes/pod-claims.ts'
import { volumeSpecOf } from '../volumes/volumes.ts'
import * as kinds from './kinds.ts'

/** Finds what an object controls by its uid, and the orphans of a namespace. */
const byOwner = {
  controller: (object: KubeObject): readonly string[] => {
    const owner = controllerOf(object)
    return owner ? [owner.uid] : []
  },
  orphans: (object: KubeObject): readonly string[] => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']),
}

function waitingFor(pod: KubeObject): readonly string[] {
  if (podSpecOf(pod).nodeName) return []
  return claimNamesOf(pod).map((name) => `${pod.metadata.namespace ?? ''}/${name}`)
}

function needsOf(pod: KubeObject): readonly string[] {
  return podSpecOf(pod).nodeName && !isFinished(pod) ? needKeysOf(pod) : []
}

function claimOfVolume(volume: KubeObject): readonly string[] {
  const { claimRef } = volumeSpecOf(volume)
  return claimRef ? [`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`] : []
}

function classWhileFree(volume: KubeObject): readonly string[] {
  const { claimRef, storageClassName = '' } = volumeSpecOf(volume)
  return claimRef ? [] : [storageClassName]
}

/** The caches that the controllers of workloads share. */
export interface Caches {
  /**
   * Indexes: `controller` by the owner's uid, `orphans` by namespace, `node` by spec.nodeName, `claim` by the keys of the
   * claims that a Pod without a node uses, `needs` by what a Pod on a node takes its values from.
   */
  readonly pods: Informer
  /** Indexes: `controller`, `orphans`. */
  readonly replicaSets: Informer
  /** Indexes: `controller`, `orphans`. */
  readonly jobs: Informer
  /** Indexes: `controller`, `orphans`. */
  readonly revisions: Informer
  readonly claims: Informer
  /** Indexes: `claim` by the key of the claim that it refers to, `free` by the class of those that nobody has. */
  readonly volumes: Informer
  readonly classes: Informer
  readonly configMaps: Informer
  readonly secrets: Informer
  readonly deployments: Informer
  readonly statefulSets: Informer
  readonly daemonSets: Informer
  readonly cronJobs: Informer
  readonly nodes: Informer
  /** The signs of life of nodes. */
  readonly leases: Informer
  readonly namespaces: Informer
  readonly budgets: Informer
}

/** Asks for the caches of the workload controllers. */
export function makeCaches(informers: Informers): Caches {
  const shared = (kind: Kind): Informer => informers.shared({ collection: { resource: kind } })
  const owned = (kind: Kind): Informer => informers.own({ collection: { resource: kind }, indexes: byOwner })
  return {
    pods: informers.own({
      collection: { resource: kinds.Pod },
      indexes: { ...byOwner, node: (pod) => [podSpecOf(pod).nodeName ?? ''], claim: waitingFor, needs: needsOf },
    }),
    replicaSets: owned(kinds.ReplicaSet),
    jobs: owned(kinds.Job),
    revisions: owned(kinds.ControllerRevision),
    claims: shared(kinds.PersistentVolumeClaim),
    volumes: informers.own({
      collection: { resource: kinds.PersistentVolume },
      indexes: { claim: claimOfVolume, free: classWhileFree },
    }),
    classes: shared(kinds.StorageClass),
    configMaps: shared(kinds.ConfigMap),
    secrets: shared(kinds.Secret),
    deployments: shared(kinds.Deployment),
    statefulSets: shared(kinds.StatefulSet),
    daemonSets: shared(kinds.DaemonSet),
    cronJobs: shared(kinds.CronJob),
    nodes: shared(kinds.Node),
    leases: informers.shared({ collection: { resource: kinds.Lease, namespace: 'kube-node-lease' } }),
    namespaces: shared(kinds.Namespace),
    budgets: shared(kinds.PodDisruptionBudget),
  }
}
