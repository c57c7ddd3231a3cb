import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { explain } from '../../lib/result.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { again, done } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { signingRequests } from '../collections.ts'
import type { CertificateSigner } from '../signing.ts'
import { isToBeSigned, type Observed, type Plan, planCleanup, planSigning } from './plan.ts'

/** Signs approved CertificateSigningRequests of the cluster's own signers, and removes the old ones of all signers. */
export function certificateRequests({ client, clock, informers, signer }: ClusterPorts): readonly Controller[] {
  const informer = informers.shared({ collection: { resource: signingRequests } })
  const cleaning: Controller = {
    name: 'certificate-cleaner',
    watches: [{ informer }],
    async reconcile(key, { log, signal }) {
      const request = informer.cache.get(key)
      if (!request) return done
      const plan = planCleanup(request, clock.now())
      if (plan.do === 'wait') return again(plan.afterMs, 'its time has not come')
      log.info('removing a certificate request', { because: plan.because })
      const deleted = await client.delete({ resource: signingRequests, name: partsOf(key).name }, { signal })
      return deleted.ok || deleted.error.reason === 'NotFound' ? done : retryAfter(deleted.error)
    },
  }
  if (!signer) return [cleaning]
  const signing: Controller = {
    name: 'certificate-signer',
    watches: [{ informer }],
    async reconcile(key, { log, signal }) {
      const request = informer.cache.get(key)
      if (!request || !isToBeSigned(request)) return done
      const plan = planSigning({ request, asked: await read(request, signer), nowMs: clock.now() })
      if (plan.do === 'nothing') return done
      log.info('answering a certificate request', { do: plan.do, because: plan.because })
      const status = await answer(request, plan, signer)
      const target = { resource: signingRequests, name: partsOf(key).name, subresource: 'status' }
      const written = await client.update(target, { ...request, status }, { signal })
      return written.ok || written.error.reason === 'NotFound' ? done : retryAfter(written.error)
    },
  }
  return [signing, cleaning]

  async function answer(
    request: KubeObject,
    plan: Exclude<Plan, { readonly do: 'nothing' }>,
    by: CertificateSigner,
  ): Promise<object> {
    const status = (request['status'] ?? {}) as { readonly conditions?: readonly Condition[] }
    if (plan.do === 'sign') {
      const certificate = await by.sign(pemOf(request), plan)
      return { ...status, certificate: Buffer.from(certificate).toString('base64') }
    }
    const now = clock.now()
    const failed = {
      type: 'Failed',
      status: 'True',
      reason: 'SignerValidationFailure',
      message: plan.because,
      lastUpdateTime: formatTime(now),
    } as const
    return { ...status, conditions: setCondition(status.conditions, failed, now) }
  }
}

function pemOf(request: KubeObject): string {
  const { request: encoded = '' } = (request['spec'] ?? {}) as { readonly request?: string }
  return Buffer.from(encoded, 'base64').toString('utf8')
}

async function read(request: KubeObject, signer: CertificateSigner): Promise<Observed['asked']> {
  const asked = await signer.read(pemOf(request))
  return asked.ok ? asked : { ok: false, because: asked.error.map(explain).join('; ') }
}
