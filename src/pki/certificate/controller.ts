import type { KubeObject } from '../../kube/object.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { again, done, retry } from '../../runtime/work-queue.ts'
import { type Caches, certificatesOfOwned, certificatesOfSecret } from '../caches.ts'
import { label } from '../objects.ts'
import { applySteps } from './apply.ts'
import { observeCertificate } from './observe.ts'
import { planCertificate } from './plan.ts'

/** How many Certificates are worked on at once: keys are made in threads, and RSA ones take their time. */
const CONCURRENCY = 8

/** Keeps Certificates: issues them when a check says so, writes their Secrets, tells how they are. */
export function certificateController(ports: ControllerPorts, caches: Caches): Controller {
  const { client, clock, ids } = ports
  const events = ports.events('cert-manager-certificates-issuing')
  const seen = async (written: KubeObject, signal: AbortSignal): Promise<void> => {
    if (written.kind === 'Certificate') await caches.certificates.caughtUp(written, signal)
    if (written.kind === 'CertificateRequest') await caches.requests.caughtUp(written, signal)
    if (written.kind !== 'Secret') return
    await caches.secrets.caughtUp(written, signal)
    // That cache is told of no other Secrets.
    if (written.metadata.labels?.[label.nextPrivateKey]) await caches.keySecrets.caughtUp(written, signal)
  }
  return {
    name: 'certificates',
    concurrency: CONCURRENCY,
    watches: [
      { informer: caches.certificates, keys: (object) => [keyOf(object), ...sharers(object)] },
      { informer: caches.requests, keys: (object) => certificatesOfOwned(caches, object) },
      { informer: caches.keySecrets, keys: (object) => certificatesOfOwned(caches, object) },
      { informer: caches.secrets, keys: (object) => certificatesOfSecret(caches, object) },
    ],
    async reconcile(key, { log, signal }) {
      const observed = observeCertificate(key, caches, { clock, ids })
      if (!observed) return done
      const plan = planCertificate(observed)
      const refused = await applySteps(
        observed.certificate,
        plan.steps,
        { client, clock, ids, events, seen },
        { log, signal },
      )
      if (!refused.ok) return retryAfter(refused.error)
      if (plan.retry !== undefined) return retry(plan.retry)
      return plan.again ? again(plan.again.afterMs, plan.again.because) : done
    },
  }

  /** Certificates that name the same Secret may get their turn when one of them changes. */
  function sharers(object: KubeObject): readonly string[] {
    const known = caches.certificates.cache.get(keyOf(object))
    if (!known) return []
    const others = caches.certificates.cache.by('secret', `${known.metadata.namespace ?? ''}/${known.spec.secretName}`)
    return others.length > 1 ? others.map(keyOf) : []
  }
}
