import type { Client } from '../kube/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { type Controller, controllerLoop } from '../runtime/controller.ts'
import type { EventRecorder } from '../runtime/event-recorder.ts'
import type { Informers } from '../runtime/informers.ts'
import type { PendingKey } from '../runtime/work-queue.ts'
import type { NodeAgentOptions } from './node-agent/node-agent.ts'
import type { CertificateSigner, IssueSecretToken } from './signing.ts'

/** What the controllers of a cluster work with. */
export interface ClusterPorts {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics?: Metrics
  /** The recorder that tells in the name of a component; it is run by whoever runs the controllers. */
  readonly events: (component: string) => EventRecorder
  /** The certificate that everybody checks the API server by, in PEM; absent where nobody says. */
  readonly rootCa?: string
  /** Signs certificates with the cluster's authority; absent where there is none. */
  readonly signer?: CertificateSigner
  /** Issues the tokens of Secrets; absent where there are no keys. */
  readonly issueToken?: IssueSecretToken
  /** The nodes that are declared, and how Pods behave on them; the usual ones where nobody says. */
  readonly nodeAgent?: NodeAgentOptions
}

/** A controller, or a few that belong together, made and ready to run. */
export interface ControllerPart {
  /** Works until the signal is aborted; resolves when the turns under way have ended. */
  run(signal: AbortSignal): Promise<void>
  /** What is not at rest, and why. */
  pending(): readonly PendingKey[]
}

/** One entry of the list of a cluster's controllers. */
export interface ClusterController {
  readonly name: string
  /** What it does, in half a sentence. */
  readonly does: string
  readonly make: (ports: ClusterPorts) => ControllerPart
}

/** Makes plain controllers into a part that runs them together. */
export function controllersOf(
  make: (ports: ClusterPorts) => Controller | readonly Controller[],
): (ports: ClusterPorts) => ControllerPart {
  return (ports) => {
    const made = make(ports)
    const loops = (Array.isArray(made) ? (made as readonly Controller[]) : [made as Controller]).map((controller) =>
      controllerLoop(controller, ports),
    )
    return {
      run: async (signal) => {
        await Promise.all(loops.map((loop) => loop.run(signal)))
      },
      pending: () => loops.flatMap((loop) => loop.queue.pending()),
    }
  }
}
