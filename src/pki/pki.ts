import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import { type ControllerPart, type ControllerPorts, controllersOf } from '../runtime/controller-part.ts'
import { reachServices } from '../runtime/reach-services.ts'
import { type ServiceHttp, serviceHttp } from '../runtime/service-http.ts'
import { pkiAdmission } from './admission/admission.ts'
import { type Caches, makeCaches } from './caches.ts'
import { certificateController } from './certificate/controller.ts'
import { injectionControllers } from './inject/controller.ts'
import { issuerControllers } from './issuer/controller.ts'
import { requestController } from './request/controller.ts'
import { gateways, ingresses, shimController } from './shim/controller.ts'
import { certificateMetrics } from './metrics.ts'
import { onceDefined } from './once-defined.ts'
import { vaultSigner } from './vault/vault.ts'

/** What certificates are made with, before there is a cluster to talk to. */
export interface PkiParts {
  /** A way to the cluster in somebody's name, to ask whether they may approve. */
  readonly clientAs?: (user: UserInfo) => Client
  /** The way to Vaults; without it over the network, and to Services of the cluster by their names. */
  readonly http?: ServiceHttp
  /** Which requests are approved without being asked; without it, those to issuers of ours. */
  readonly approves?: readonly string[]
}

/** What certificates bring: what judges writes, and the controllers. */
export interface Pki {
  readonly admission: readonly AdmissionPlugin[]
  readonly controllers: (ports: ControllerPorts) => ControllerPart
}

/** Certificates as a capability: issuers, Certificates and requests for them, as cert-manager keeps them. */
export function makePki({ http, clientAs, approves }: PkiParts = {}): Pki {
  return {
    admission: pkiAdmission(clientAs ? { clientAs } : {}),
    controllers(ports) {
      const caches = makeCaches(ports.informers)
      const vault = vaultSigner({
        http: http ?? serviceHttp({ reach: reachServices(ports.informers) }),
        client: ports.client,
        secret: (key) => caches.secrets.cache.get(key),
      })
      const always = controllersOf<ControllerPorts>(() => [
        ...issuerControllers(ports, caches, { vault }),
        requestController(ports, caches, { vault, ...(approves ? { approves } : {}) }),
        certificateController(ports, caches),
        shimController(ports, caches, { name: 'ingress-shim', resource: ingresses, kind: 'Ingress' }),
        ...injectionControllers(ports, caches),
      ])(ports)
      const forGateways = controllersOf<ControllerPorts>(() =>
        shimController(ports, caches, { name: 'gateway-shim', resource: gateways, kind: 'Gateway' }),
      )
      return allParts(
        always,
        measured(ports, caches),
        onceDefined(ports, 'gateways.gateway.networking.k8s.io', forGateways),
      )
    },
  }
}

const allParts = (...parts: readonly ControllerPart[]): ControllerPart => ({
  run: async (signal) => {
    await Promise.all(parts.map((part) => part.run(signal)))
  },
  pending: () => parts.flatMap((part) => part.pending()),
})

/** Metrics of Certificates; nothing where nobody collects them. */
const measured = ({ metrics }: ControllerPorts, caches: Caches): ControllerPart => ({
  pending: () => [],
  async run(signal) {
    if (!metrics) return
    const leave = caches.certificates.listen(certificateMetrics(metrics))
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    leave()
  },
})
