import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { type Controller, retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import { type Caches, issuerOf, requestsOfIssuer, requestsOfSecret } from '../caches.ts'
import { certificateRequests, parseIssuer } from '../objects.ts'
import type { VaultSigner } from '../vault/vault.ts'
import { askVault, sign } from './apply.ts'
import { type Observed, type Plan, planRequest, secretNeeded } from './plan.ts'

const CONCURRENCY = 8

/** Which requests are approved without being asked: all to issuers of ours, as cert-manager is usually installed. */
export const APPROVED_SIGNERS: readonly string[] = ['issuers.cert-manager.io/*', 'clusterissuers.cert-manager.io/*']

/** What the controller of requests is made with, beside the usual. */
export interface RequestParts {
  readonly vault: VaultSigner
  readonly approves?: readonly string[]
}

/** Approves and signs CertificateRequests. */
export function requestController(
  ports: ControllerPorts,
  caches: Caches,
  { vault, approves = APPROVED_SIGNERS }: RequestParts,
): Controller {
  const { client, clock, ids } = ports
  const events = ports.events('cert-manager-certificaterequests-issuer')
  return {
    name: 'certificate-requests',
    concurrency: CONCURRENCY,
    watches: [
      { informer: caches.requests },
      { informer: caches.issuers, keys: (object) => requestsOfIssuer(caches, parseIssuer(object)) },
      { informer: caches.clusterIssuers, keys: (object) => requestsOfIssuer(caches, parseIssuer(object)) },
      { informer: caches.secrets, keys: (object) => requestsOfSecret(caches, object) },
    ],
    async reconcile(key, context) {
      const seen = observe(key)
      if (!seen) return done
      const plan = planRequest(seen)
      if (plan.do === 'sign') {
        const { warning } = plan.signing
        if (warning !== undefined) events.note(seen.request, { type: 'Warning', reason: 'BadConfig', message: warning })
        return write(seen, await sign(seen.request, plan.signing, { clock, ids, vault }), context)
      }
      if (plan.do === 'ask-vault') {
        return write(seen, await askVault(seen.request, plan, { clock, ids, vault }, context.signal), context)
      }
      return write(seen, plan, context)
    },
  }

  function observe(key: string): Observed | undefined {
    const request = caches.requests.cache.get(key)
    if (!request) return undefined
    const issuer = issuerOf(caches, request.spec.issuerRef, request.metadata.namespace ?? '')
    const needed = secretNeeded(request, issuer)
    const secret = needed === undefined ? undefined : caches.secrets.cache.get(needed)
    return {
      request,
      ...(issuer ? { issuer } : {}),
      ...(secret ? { secret } : {}),
      approves,
      nowMs: clock.now(),
    }
  }

  async function write({ request }: Observed, plan: Plan, { log, signal }: TurnContext): Promise<Turn> {
    log.debug('a decision about a CertificateRequest', { do: plan.do, because: plan.because })
    if (plan.do === 'note') events.note(request, plan.note)
    if (plan.do !== 'set-status') return done
    const key = `${request.metadata.namespace ?? ''}/${request.metadata.name ?? ''}`
    const { namespace = '', name } = partsOf(key)
    const target = { resource: certificateRequests, namespace, name, subresource: 'status' }
    const written = await client.update(target, { ...request, status: plan.status }, { signal })
    if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
    if (plan.note) events.note(request, plan.note)
    await caches.requests.caughtUp(written.value, signal)
    return done
  }
}
