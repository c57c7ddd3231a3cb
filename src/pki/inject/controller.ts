import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import type { Informer } from '../../runtime/informer.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import type { Caches } from '../caches.ts'
import { planInjection, sourceOf } from './plan.ts'

const admission = (plural: string): ResourceId => ({ group: 'admissionregistration.k8s.io', version: 'v1', plural })

/** The kinds that authorities are injected into. */
const injected: readonly (readonly [name: string, resource: ResourceId])[] = [
  ['inject-validating-webhooks', admission('validatingwebhookconfigurations')],
  ['inject-mutating-webhooks', admission('mutatingwebhookconfigurations')],
  ['inject-definitions', { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }],
  ['inject-api-services', { group: 'apiregistration.k8s.io', version: 'v1', plural: 'apiservices' }],
]

/** Where every cluster tells the authority of its API server. */
const ROOT_CA = { key: 'kube-system/kube-root-ca.crt', name: 'kube-root-ca.crt' }

/** Puts authorities into webhook configurations, definitions and API services that ask for them. */
export function injectionControllers(ports: ControllerPorts, caches: Caches): readonly Controller[] {
  const roots = ports.informers.shared({
    collection: { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'kube-system' },
    fieldSelector: `metadata.name=${ROOT_CA.name}`,
  })
  return injected.map(([name, resource]) => injector(name, resource))

  function injector(name: string, resource: ResourceId): Controller {
    const informer = ports.informers.own({
      collection: { resource },
      indexes: {
        certificate: (object) => keyIn(object, 'certificate'),
        secret: (object) => keyIn(object, 'secret'),
        source: (object) => (sourceOf(object)?.from === 'api-server' ? ['api-server'] : []),
      },
    })
    return {
      name,
      watches: [
        { informer },
        { informer: caches.certificates, keys: (object) => keysBy(informer, 'certificate', keyOf(object)) },
        { informer: caches.secrets, keys: (secret) => ofSecret(informer, secret) },
        { informer: roots, keys: () => keysBy(informer, 'source', 'api-server') },
      ],
      async reconcile(key, { log, signal }) {
        const object = informer.cache.get(key)
        const source = object && sourceOf(object)
        if (!object || !source) return done
        const certificate = source.from === 'certificate' ? caches.certificates.cache.get(source.key) : undefined
        const secretKey =
          source.from === 'secret'
            ? source.key
            : certificate && `${certificate.metadata.namespace ?? ''}/${certificate.spec.secretName}`
        const secret = secretKey === undefined ? undefined : caches.secrets.cache.get(secretKey)
        const ca = rootOf(roots.cache.get(ROOT_CA.key))
        const plan = planInjection({
          object,
          source,
          ...(certificate ? { certificate } : {}),
          ...(secret ? { secret } : {}),
          ...(ca === undefined ? {} : { apiServerCa: ca }),
        })
        if (plan.do === 'nothing') {
          log.debug('no authority is injected', { because: plan.because })
          return done
        }
        log.info('injecting an authority', { because: plan.because })
        // What was there when the places were counted has to be there still.
        const test = { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion ?? '' }
        const written = await ports.client.patch(
          { resource, name: partsOf(key).name },
          { type: 'json', body: [test, ...plan.patch] },
          { fieldManager: 'cert-manager-cainjector', signal },
        )
        return written.ok || written.error.reason === 'NotFound' ? done : retryAfter(written.error)
      },
    }
  }

  /** A Secret concerns whoever names it, and whoever names the Certificate that it is of. */
  function ofSecret(informer: Informer, secret: KubeObject): readonly string[] {
    const certificates = caches.certificates.cache.by('secret', keyOf(secret))
    return [
      ...keysBy(informer, 'secret', keyOf(secret)),
      ...certificates.flatMap((certificate) => keysBy(informer, 'certificate', keyOf(certificate))),
    ]
  }
}

const keysBy = (informer: Informer, index: string, value: string): readonly string[] =>
  informer.cache.by(index, value).map(keyOf)

function keyIn(object: KubeObject, from: 'certificate' | 'secret'): readonly string[] {
  const source = sourceOf(object)
  return source?.from === from ? [source.key] : []
}

function rootOf(configMap: KubeObject | undefined): string | undefined {
  const data = (configMap?.['data'] ?? {}) as Readonly<Record<string, unknown>> // the API server checks what it is
  const value = data['ca.crt']
  return typeof value === 'string' ? value : undefined
}
