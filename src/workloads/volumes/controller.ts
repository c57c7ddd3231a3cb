import type { KubeObject } from '../../kube/object.ts'
import { controllerReference, isControlledBy } from '../../kube/owner.ts'
import { isFinished } from '../../kube/pod.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import { PersistentVolumeClaim, Pod, StorageClass } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { applyClaim, applyVolume } from './apply.ts'
import { observeClaim, observeVolume } from './observe.ts'
import { planClaim, planVolume } from './plan.ts'
import { claimNamesOf, podClaimsOf } from './pod-claims.ts'
import { classObject, usualClasses } from './provision.ts'
import { classOf, DEFAULT_CLASS, defaultClass, isClaimBound, volumeSpecOf } from './volumes.ts'

/** Gives each claim its volume, and does with volumes that lost their claim what they say. */
export function volumeControllers(ports: WorkloadPorts): readonly Controller[] {
  const { caches } = ports
  const unbound = (): readonly KubeObject[] => caches.claims.cache.list().filter((claim) => !isClaimBound(claim))
  return [
    {
      name: 'persistentvolumeclaim',
      concurrency: 8,
      watches: [
        { informer: caches.claims },
        { informer: caches.volumes, keys: (volume) => claimsConcernedBy(volume, unbound) },
        {
          informer: caches.classes,
          keys: (storage) => unbound().flatMap((claim) => (mayBeOf(claim, storage) ? [keyOf(claim)] : [])),
        },
        // A consumer has come; which node it gets is told by an annotation of the claim.
        { informer: caches.pods, keys: (pod, { type }) => (type === 'added' ? claimKeysOf(pod) : []) },
      ],
      async reconcile(key, context) {
        const seen = observeClaim(key, ports)
        return seen ? applyClaim(planClaim(seen), seen, ports, context) : done
      },
    },
    {
      name: 'persistentvolume',
      concurrency: 8,
      watches: [
        { informer: caches.volumes },
        {
          informer: caches.claims,
          keys: (claim) => caches.volumes.cache.by('claim', keyOf(claim)).map(keyOf),
        },
      ],
      async reconcile(key, context) {
        const seen = observeVolume(key, ports)
        return seen ? applyVolume(planVolume(seen), seen, ports, context) : done
      },
    },
    usualClassesController(ports),
    ephemeralClaimsController(ports),
  ]
}

const claimKeysOf = (pod: KubeObject): readonly string[] =>
  claimNamesOf(pod).map((name) => `${pod.metadata.namespace ?? ''}/${name}`)

/** The claim that a volume refers to; a free one concerns all that still look for one of its class. */
function claimsConcernedBy(volume: KubeObject, unbound: () => readonly KubeObject[]): readonly string[] {
  const { claimRef, storageClassName = '' } = volumeSpecOf(volume)
  if (claimRef) return [`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`]
  return unbound()
    .filter((claim) => (classOf(claim) ?? '') === storageClassName || isNamed(claim, volume))
    .map(keyOf)
}

const isNamed = (claim: KubeObject, volume: KubeObject): boolean =>
  (claim['spec'] as { readonly volumeName?: string } | undefined)?.volumeName === volume.metadata.name

const mayBeOf = (claim: KubeObject, storage: KubeObject): boolean =>
  classOf(claim) === undefined || classOf(claim) === storage.metadata.name

/** Makes the classes that a cluster begins with where they are missing; one that was changed stays as it is. */
function usualClassesController({ client, caches }: WorkloadPorts): Controller {
  let isDone = false
  return {
    name: 'storage-classes',
    watches: [
      { informer: caches.classes, keys: () => [] },
      // There is always one: it starts the only turn.
      { informer: caches.namespaces, keys: () => (isDone ? [] : ['/classes']) },
    ],
    async reconcile(): Promise<Turn> {
      const known = caches.classes.cache.list()
      const hasDefault = defaultClass(known) !== undefined
      for (const usual of usualClasses) {
        if (known.some(({ metadata }) => metadata.name === usual.name)) continue
        const made = classObject({ ...usual, isDefault: usual.isDefault && !hasDefault }, DEFAULT_CLASS)
        const answer = await client.create({ resource: StorageClass }, made)
        if (!answer.ok && answer.error.reason !== 'AlreadyExists') return retryAfter(answer.error)
      }
      isDone = true
      return done
    },
  }
}

/** Makes the claims of volumes that belong to one Pod and go with it. */
function ephemeralClaimsController({ client, caches, events }: WorkloadPorts): Controller {
  return {
    name: 'ephemeral-volume',
    concurrency: 4,
    watches: [
      {
        informer: caches.pods,
        keys: (pod) => (podClaimsOf(pod).some(({ template }) => template) && !isFinished(pod) ? [keyOf(pod)] : []),
      },
      { informer: caches.claims, keys: () => [] },
    ],
    async reconcile(key): Promise<Turn> {
      const pod = caches.pods.cache.get(key)
      if (!pod || pod.metadata.deletionTimestamp !== undefined || isFinished(pod)) return done
      const { namespace = '' } = pod.metadata
      for (const { claim: name, template } of podClaimsOf(pod)) {
        if (!template) continue
        const known = caches.claims.cache.get(`${namespace}/${name}`)
        if (known && !isControlledBy(known, pod)) {
          const message = `PVC ${JSON.stringify(name)} was not created for pod ${JSON.stringify(pod.metadata.name)} (pod is not owner)`
          events.note(pod, { type: 'Warning', reason: 'FailedBinding', message: `ephemeral volume: ${message}` })
          continue
        }
        if (known) continue
        const answer = await client.create(
          { resource: PersistentVolumeClaim, namespace },
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { ...template.metadata, name, namespace, ownerReferences: [controllerReference(pod, Pod)] },
            spec: template.spec ?? {},
          },
        )
        if (!answer.ok && answer.error.reason !== 'AlreadyExists') return retryAfter(answer.error)
      }
      return done
    },
  }
}
