import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import { type ControllerPart, type ControllerPorts, controllersOf } from '../runtime/controller-part.ts'
import { reachServices } from '../runtime/reach-services.ts'
import { type ServiceHttp, serviceHttp } from '../runtime/service-http.ts'
import { makeCaches } from './caches.ts'
import { certificateController } from './certificate/controller.ts'
import { issuerControllers } from './issuer/controller.ts'
import { requestController } from './request/controller.ts'
import { vaultSigner } from './vault/vault.ts'

/** What certificates are made with, before there is a cluster to talk to. */
export interface PkiParts {
  /** A way to the cluster in somebody's name, to ask whether they may approve. */
  readonly clientAs?: (user: UserInfo) => Client
  /** The way to Vaults; without it over the network, and to Services of the cluster by their names. */
  readonly http?: ServiceHttp
}

/** What certificates bring: what judges writes, and the controllers. */
export interface Pki {
  readonly admission: readonly AdmissionPlugin[]
  readonly controllers: (ports: ControllerPorts) => ControllerPart
}

/** Certificates as a capability: issuers, Certificates and requests for them, as cert-manager keeps them. */
export function makePki({ http }: PkiParts = {}): Pki {
  return {
    admission: [],
    controllers: controllersOf<ControllerPorts>((ports) => {
      const caches = makeCaches(ports.informers)
      const vault = vaultSigner({
        http: http ?? serviceHttp({ reach: reachServices(ports.informers) }),
        client: ports.client,
        secret: (key) => caches.secrets.cache.get(key),
      })
      return [
        ...issuerControllers(ports, caches, { vault }),
        requestController(ports, caches, { vault }),
        certificateController(ports, caches),
      ]
    }),
  }
}
