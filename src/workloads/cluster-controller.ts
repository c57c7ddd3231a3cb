import type { ControllerPorts, NamedController } from '../runtime/controller-part.ts'
import type { NodeAgentOptions } from './node-agent/node-agent.ts'
import type { ServiceProxy } from './service-proxy/service-proxy.ts'
import type { CertificateSigner, IssueSecretToken } from './signing.ts'

/** What the controllers of a cluster work with. */
export interface ClusterPorts extends ControllerPorts {
  /** The certificate that everybody checks the API server by, in PEM; absent where nobody says. */
  readonly rootCa?: string
  /** Signs certificates with the cluster's authority; absent where there is none. */
  readonly signer?: CertificateSigner
  /** Issues the tokens of Secrets; absent where there are no keys. */
  readonly issueToken?: IssueSecretToken
  /** The nodes that are declared, and how Pods behave on them; the usual ones where nobody says. */
  readonly nodeAgent?: NodeAgentOptions
  /** Makes Services reachable on this machine; absent where nothing really runs. */
  readonly serviceProxy?: ServiceProxy
}

/** One entry of the list of a cluster's controllers. */
export type ClusterController = NamedController<ClusterPorts>
