import type { KubeObject } from '../../kube/object.ts'
import type { ApiResult } from '../../kube/status.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import type { Caches } from '../caches.ts'
import { certificates } from '../objects.ts'
import { planShim, type Step } from './plan.ts'

export const ingresses: ResourceId = { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses' }
export const gateways: ResourceId = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'gateways' }

const reasons = {
  create: 'CreateCertificate',
  update: 'UpdateCertificate',
  delete: 'DeleteCertificate',
  warn: 'BadConfig',
} as const

/** Keeps the Certificates that Ingresses or Gateways ask for by annotation. */
export function shimController(
  ports: ControllerPorts,
  caches: Caches,
  { name, resource, kind }: { readonly name: string; readonly resource: ResourceId; readonly kind: string },
): Controller {
  const { client, informers } = ports
  const informer = informers.shared({ collection: { resource } })
  const events = ports.events(`cert-manager-${name}`)
  return {
    name,
    watches: [
      { informer },
      {
        informer: caches.certificates,
        keys: ({ metadata }) =>
          (metadata.ownerReferences ?? [])
            .filter((owner) => owner.controller === true && owner.kind === kind)
            .map((owner) => `${metadata.namespace ?? ''}/${owner.name}`),
      },
    ],
    async reconcile(key, { log, signal }) {
      const object = informer.cache.get(key)
      if (!object) return done
      const { namespace = '' } = partsOf(key)
      const known = caches.certificates.cache.list(namespace)
      for (const step of planShim({ object, certificates: known })) {
        log.debug('a step for certificates by annotation', { do: step.do, because: step.because })
        const written = await apply(step, namespace, signal)
        if (written && !written.ok) return retryAfter(written.error)
        events.note(object, {
          type: step.do === 'warn' ? 'Warning' : 'Normal',
          reason: reasons[step.do],
          message: step.because,
        })
        if (written?.ok) await caches.certificates.caughtUp(written.value, signal)
      }
      return done
    },
  }

  async function apply(step: Step, namespace: string, signal: AbortSignal): Promise<ApiResult<KubeObject> | undefined> {
    const collection = { resource: certificates, namespace }
    switch (step.do) {
      case 'warn':
        return undefined
      case 'create':
        return client.create(collection, step.certificate, { signal })
      case 'update': {
        const { before, certificate } = step
        const annotations = { ...before.metadata.annotations, ...certificate.metadata.annotations }
        const { labels } = certificate.metadata
        const { labels: _before, ...metadata } = before.metadata
        const next = {
          ...before,
          metadata: { ...metadata, annotations, ...(labels ? { labels } : {}) },
          spec: certificate.spec,
        }
        return client.update({ ...collection, name: before.metadata.name ?? '' }, next, { signal })
      }
      case 'delete': {
        const gone = await client.delete({ ...collection, name: step.name }, { signal })
        return gone.ok || gone.error.reason === 'NotFound' ? undefined : gone
      }
    }
  }
}
