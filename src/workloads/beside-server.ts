import type { UserInfo } from '../kube/admission.ts'
import { MASTERS } from '../apiserver/auth/attributes.ts'
import { issueToken } from '../apiserver/auth/service-account-tokens.ts'
import type { KeyPair } from '../apiserver/pki/certificates.ts'
import { requestSigner } from '../apiserver/pki/sign-request.ts'
import type { ApiServer } from '../apiserver/server.ts'
import type { OuterPorts } from '../runtime/running-controllers.ts'
import type { ClusterPorts } from './cluster-controller.ts'

/** In whose name controllers write. */
const controllerUser: UserInfo = { username: 'system:kube-controller-manager', groups: [MASTERS] }

/** The token of a Secret ends with the Secret; this is long enough to look as if it never did. */
const SECRET_TOKEN_SECONDS = 10 * 365 * 24 * 60 * 60

/** What the controllers of a cluster work with when its server is in this process, with its keys. */
export function portsBeside(server: ApiServer, authority: KeyPair): OuterPorts<ClusterPorts> {
  const { clock, ids, log, tokenKeys } = server.kernel
  return {
    client: server.client(controllerUser),
    clock,
    ids,
    log,
    rootCa: authority.cert,
    signer: requestSigner(authority),
    ...(tokenKeys
      ? {
          issueToken: ({ namespace, account, secret }) =>
            issueToken(
              tokenKeys,
              {
                namespace,
                serviceAccount: account,
                audiences: [],
                expirationSeconds: SECRET_TOKEN_SECONDS,
                bound: { kind: 'secret', to: secret },
              },
              { nowMs: clock.now(), id: ids.uid() },
            ),
        }
      : {}),
  }
}
