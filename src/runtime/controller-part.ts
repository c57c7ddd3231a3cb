import type { Client } from '../kube/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { type Controller, controllerLoop } from './controller.ts'
import type { EventRecorder } from './event-recorder.ts'
import type { Informers } from './informers.ts'
import type { Surfaces } from './surfaces.ts'
import type { PendingKey } from './work-queue.ts'

/** What every controller works with, whichever cluster it works on. */
export interface ControllerPorts {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics?: Metrics
  /** Makes parts of this process reachable as Services; absent where the cluster could not reach this process. */
  readonly surfaces?: Surfaces
  /** The recorder that tells in the name of a component; it is run by whoever runs the controllers. */
  readonly events: (component: string) => EventRecorder
}

/** A controller, or a few that belong together, made and ready to run. */
export interface ControllerPart {
  /** Works until the signal is aborted; resolves when the turns under way have ended. */
  run(signal: AbortSignal): Promise<void>
  /** What is not at rest, and why. */
  pending(): readonly PendingKey[]
}

/** One entry of a list of controllers, under the name by which it can be chosen. */
export interface NamedController<Ports extends ControllerPorts> {
  readonly name: string
  /** What it does, in half a sentence. */
  readonly does: string
  readonly make: (ports: Ports) => ControllerPart
}

/** Makes plain controllers into a part that runs them together. */
export function controllersOf<Ports extends ControllerPorts>(
  make: (ports: Ports) => Controller | readonly Controller[],
): (ports: Ports) => ControllerPart {
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
