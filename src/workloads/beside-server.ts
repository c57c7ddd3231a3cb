import type { UserInfo } from '../kube/admission.ts'
import { MASTERS } from '../apiserver/auth/attributes.ts'
import { issueToken } from '../apiserver/auth/service-account-tokens.ts'
import type { KeyPair } from '../apiserver/pki/certificates.ts'
import { requestSigner } from '../apiserver/pki/sign-request.ts'
import type { ApiServer } from '../apiserver/server.ts'
import { type ChosenControllers, makeControllers, type RunningControllers } from './cluster-controllers.ts'

/** In whose name controllers write. */
const controllerUser: UserInfo = { username: 'system:kube-controller-manager', groups: [MASTERS] }

/** The token of a Secret ends with the Secret; this is long enough to look as if it never did. */
const SECRET_TOKEN_SECONDS = 10 * 365 * 24 * 60 * 60

/** The controllers of a server in this process, with its keys. */
export function controllersBeside(
  server: ApiServer,
  { chosen, authority }: { readonly chosen: ChosenControllers; readonly authority: KeyPair },
): RunningControllers {
  const { clock, ids, log, tokenKeys } = server.kernel
  return makeControllers(chosen, {
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
  })
}
