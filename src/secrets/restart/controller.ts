import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Controller, controllerLoop, retryAfter, type Watch } from '../../runtime/controller.ts'
import type { ControllerPart, ControllerPorts } from '../../runtime/controller-part.ts'
import type { Informer } from '../../runtime/informer.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import { asksForRestarts, planRestart, RESTARTED_FOR, SEEN, watchedSources } from './plan.ts'

const apps = { group: 'apps', version: 'v1', scope: 'Namespaced' } as const
const workloads: readonly Kind[] = [
  { ...apps, kind: 'Deployment', plural: 'deployments' },
  { ...apps, kind: 'StatefulSet', plural: 'statefulsets' },
  { ...apps, kind: 'DaemonSet', plural: 'daemonsets' },
]
const core = (plural: string) => ({ resource: { group: '', version: 'v1', plural } })

/** Restarts workloads that ask for it, by their annotations, when a Secret or ConfigMap that they name has other contents. */
export function restarts(ports: ControllerPorts): ControllerPart {
  const secrets = ports.informers.shared({ collection: core('secrets') })
  const configMaps = ports.informers.shared({ collection: core('configmaps') })
  const loops = workloads.map((kind) => controllerLoop(restartController(kind, { ports, secrets, configMaps }), ports))
  return {
    pending: () => loops.flatMap(({ queue }) => queue.pending()),
    async run(signal) {
      await Promise.all(loops.map((loop) => loop.run(signal)))
    },
  }
}

interface Sources {
  readonly ports: ControllerPorts
  readonly secrets: Informer
  readonly configMaps: Informer
}

function restartController(kind: Kind, { ports, secrets, configMaps }: Sources): Controller {
  const { client, informers } = ports
  const events = ports.events('restart-on-change')
  const informer = informers.own<KubeObject>({
    collection: { resource: kind },
    indexes: { asking: (object) => (asksForRestarts(object) ? [object.metadata.namespace ?? ''] : []) },
  })
  const source = (from: Informer): Watch => ({
    informer: from,
    keys: ({ metadata: { namespace = '' } }) => informer.cache.by('asking', namespace).map(keyOf),
  })
  return {
    name: `restart-${kind.plural}`,
    watches: [
      { informer, keys: (object, { key }) => (asksForRestarts(object) ? [key] : []) },
      source(secrets),
      source(configMaps),
    ],
    async reconcile(key, { log, signal }) {
      const workload = informer.cache.get(key)
      if (!workload || !asksForRestarts(workload)) return done
      const { namespace = '', name = '', resourceVersion = '' } = workload.metadata
      const all = [
        ...secrets.cache.list(namespace).map(as('Secret')),
        ...configMaps.cache.list(namespace).map(as('ConfigMap')),
      ]
      const plan = planRestart(workload, watchedSources(workload, all))
      if (plan.do === 'nothing') return done
      // One write: what was seen and the new Pods belong together, whenever this process may end.
      const body = {
        metadata: { resourceVersion, annotations: { [SEEN]: plan.seen } },
        ...(plan.do === 'restart'
          ? { spec: { template: { metadata: { annotations: { [RESTARTED_FOR]: plan.mark } } } } }
          : {}),
      }
      const options = { signal, fieldManager: 'idp-restart' }
      const patched = await client.patch({ resource: kind, namespace, name }, { type: 'merge', body }, options)
      if (!patched.ok) return patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
      if (plan.do === 'restart') {
        log.info('restarting a workload', { because: plan.because })
        events.note(workload, { type: 'Normal', reason: 'Restarted', message: `new Pods are made: ${plan.because}` })
      }
      await informer.caughtUp(patched.value, signal)
      return done
    },
  }
}

/** Objects of lists need not say what they are. */
const as =
  (kind: string) =>
  (object: KubeObject): KubeObject =>
    object.kind === kind ? object : { ...object, kind }
