import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import type { Informer } from '../../runtime/informer.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { again, done } from '../../runtime/work-queue.ts'
import type { Caches } from '../caches.ts'
import { clusterIssuers, type Issuer, issuers, secretsOf } from '../objects.ts'
import { vaultProblem } from '../vault/fields.ts'
import type { VaultSigner } from '../vault/vault.ts'
import { issuerType } from './issuer-type.ts'
import { type Observed, planIssuer } from './plan.ts'

/** Tells of Issuers and ClusterIssuers whether they are ready. */
export function issuerControllers(
  ports: ControllerPorts,
  caches: Caches,
  { vault }: { readonly vault: VaultSigner },
): readonly Controller[] {
  return [
    controllerOf('issuers', caches.issuers, issuers),
    controllerOf('cluster-issuers', caches.clusterIssuers, clusterIssuers),
  ]

  function controllerOf(name: string, informer: Informer<Issuer>, resource: typeof issuers): Controller {
    const { client } = ports
    const events = ports.events(`cert-manager-${name.replace('-', '')}`)
    return {
      name,
      concurrency: 4,
      watches: [
        { informer },
        { informer: caches.secrets, keys: (secret) => informer.cache.by('secret', keyOf(secret)).map(keyOf) },
      ],
      async reconcile(key, { log, signal }) {
        const issuer = informer.cache.get(key)
        if (!issuer) return done
        const plan = planIssuer(await observe(issuer, signal))
        if (plan.status) {
          log.debug('the state of an issuer changes', { because: plan.because })
          const { namespace, name: own } = partsOf(key)
          const target = { resource, ...(namespace ? { namespace } : {}), name: own, subresource: 'status' }
          const written = await client.update(target, { ...issuer, status: plan.status }, { signal })
          if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
          if (plan.note) events.note(issuer, plan.note)
          await informer.caughtUp(written.value, signal)
        }
        return plan.againMs === undefined ? done : again(plan.againMs, 'what it relies on may have changed')
      },
    }
  }

  async function observe(issuer: Issuer, signal: AbortSignal): Promise<Observed> {
    const { ca } = issuer.spec
    const secret = ca ? caches.secrets.cache.get(`${secretsOf(issuer)}/${ca.secretName ?? ''}`) : undefined
    const asksVault = issuerType(issuer.spec) === 'vault' && vaultProblem(issuer.spec.vault ?? {}) === undefined
    return {
      issuer,
      ...(secret ? { secret } : {}),
      ...(asksVault ? { vault: await vault.check(issuer, signal) } : {}),
      nowMs: ports.clock.now(),
    }
  }
}
